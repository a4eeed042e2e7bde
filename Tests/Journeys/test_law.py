"""Who runs task code does not get at what the worker holds: tried by a curious bundle, as an ordinary user."""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
from conftest import HERE, example
from lab import bundles, command, settings
from lab.wait import until
from lab.worker import clean_environment

NOBODY = 65534
ROOT = os.getuid() == 0
SIGNALS_KEPT_IN = ctypes.CDLL(None).syscall(444, None, 0, 1) >= 6
REFUSED = {"EACCES", "EPERM"}


@pytest.fixture(scope="session")
def curious(tmp_path_factory):
    source = os.path.join(HERE, "..", "RunnerProgram", "bundles", "curious.c")
    return bundles.build_c(source, tmp_path_factory.mktemp("curious"))


class Ordinary:
    """A worker and its clients as an ordinary user, with the embedded broker in a folder of their own."""

    def __init__(self, folder, plugins):
        self.folder = folder
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/plugins", 0o755)
        for plugin in plugins:
            shutil.copy(plugin, f"{folder}/plugins/")
        self.broker = f"sqlite://{folder}/taskhost.db"
        if ROOT:
            for name in [folder, f"{folder}/plugins"]:
                os.chown(name, NOBODY, NOBODY)
        self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
        self.process = None

    def environment(self, more=None):
        return {**clean_environment(self.folder), "TMPDIR": self.folder, "HOME": self.folder,
                "TASKHOST_RUNTIME_DIR": f"{self.folder}/run", **(more or {})}

    def start(self, *options, environment=None):
        with open(f"{self.folder}/log", "wb") as log:
            self.process = subprocess.Popen(
                [settings.taskhost(), "worker", "-b", self.broker, "-Q", "q", "-c", "2", "--plugins",
                 f"{self.folder}/plugins", "--log-format", "json", *options], env=self.environment(environment),
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **self.user)
        until(f"the worker to be ready: {self.log()}", lambda: '"event":"ready"' in self.log() or self.ended(), 60)
        assert not self.ended(), self.log()

    def ended(self):
        return self.process.poll() is not None

    def log(self):
        with open(f"{self.folder}/log", errors="replace") as file:
            return file.read()

    def call(self, name, *words, wait=60):
        done = subprocess.run(
            [settings.taskhost(), "call", name, *map(json.dumps, words), "-b", self.broker, "--queue", "q",
             f"--wait={wait}", "--json"], env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=wait + 60, **self.user)
        assert done.stdout, done.stderr + self.log()
        return json.loads(done.stdout)

    def attempt(self, *words):
        told = self.call("curious.try_it", *map(str, words))
        return told["result"] if told["state"] == "SUCCESS" else told

    def zygote(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            return int(file.read().split()[0])

    def stop(self):
        if self.process and not self.ended():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(60)
        self.process = None


@pytest.fixture
def ordinary(curious):
    folder = tempfile.mkdtemp(prefix="taskhost-law-")
    one = Ordinary(folder, [curious, example("arithmetic")])
    yield one
    one.stop()
    shutil.rmtree(folder)


def test_a_task_cannot_look_into_its_worker_stop_it_or_use_its_memory(ordinary):
    secret = {"TASKHOST_TEST_SECRET": "geheim"}
    ordinary.start(environment=secret)
    for pid in ordinary.process.pid, ordinary.zygote():
        assert ordinary.attempt("read", f"/proc/{pid}/environ") in REFUSED
        assert ordinary.attempt("open", f"/proc/{pid}/mem") in REFUSED
        assert ordinary.attempt("ptrace", pid) in REFUSED
        if SIGNALS_KEPT_IN:
            assert ordinary.attempt("kill", pid, int(signal.SIGSTOP)) in REFUSED
    assert ordinary.attempt("dumpable") == "0"
    assert "Umask:\t0077" in ordinary.attempt("read", "/proc/self/status")
    # Everything goes on as before, in whatever language.
    assert ordinary.call("tasks.add", 1, 2)["result"] == 3
    ordinary.stop()
    # Without it the secret lies open: what is above is not refused by something else.
    ordinary.start(environment={**secret, "TASKHOST_SANDBOX_DEBUGGABLE": "true", "TASKHOST_SANDBOX_SIGNALS": "true"})
    assert "geheim" in ordinary.attempt("read", f"/proc/{ordinary.process.pid}/environ")
    assert ordinary.attempt("kill", ordinary.process.pid, 0) == "ok"


def test_memory_limits_and_crash_reports_work_where_nobody_may_look_in(ordinary):
    ordinary.start(environment={"TASKHOST_MEMORY_LIMIT": "64"})
    told = ordinary.call("curious.try_it", "eat", "300")
    assert told["state"] == "FAILURE" and "memory" in json.dumps(told["result"]).lower(), told
    crash = ordinary.call("curious.try_it", "crash")
    assert crash["state"] == "FAILURE"
    assert "SEGV" in ordinary.log() and "curious" in ordinary.log()


def test_writing_is_kept_to_the_folders_that_are_named(ordinary):
    if ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    scratch = f"{ordinary.folder}/scratch"
    os.mkdir(scratch)
    if ROOT:
        os.chown(scratch, NOBODY, NOBODY)
    ordinary.start(environment={"TASKHOST_SANDBOX_WRITABLE": scratch})
    assert ordinary.attempt("write", f"{scratch}/file") == "ok"
    assert ordinary.attempt("write", f"{ordinary.folder}/plugins/evil.so") in REFUSED
    assert ordinary.attempt("write", f"{ordinary.folder}/taskhost.db") in REFUSED
    ordinary.stop()
    ordinary.start()
    assert ordinary.attempt("write", f"{ordinary.folder}/plugins/evil.txt") == "ok"


def test_a_folder_for_writing_that_is_not_there_is_refused_at_the_start(taskhost, tmp_path):
    done = taskhost("worker", "-b", f"sqlite://{tmp_path}/one.db",
                    environment={"TASKHOST_SANDBOX_WRITABLE": f"{tmp_path}/missing"}).expect(78)
    assert f"{tmp_path}/missing" in done.err and "fix:" in done.err


def test_a_preloaded_library_takes_no_arguments_away(tmp_path):
    source = tmp_path / "agent.c"
    source.write_text("#include <stdlib.h>\n"
                      '__attribute__((constructor)) static void load(void) { setenv("AGENT", "1", 1); }\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "agent.so", source], check=True)
    environment = {"LD_PRELOAD": f"{tmp_path}/agent.so"}
    plain = command.run(tmp_path, "--version").expect(0).out
    assert command.run(tmp_path, "--version", environment=environment).expect(0).out == plain
    assert "--no-such-option" in command.run(tmp_path, "worker", "--no-such-option", environment=environment).expect(64).err


def test_a_password_given_as_an_argument_is_not_seen_in_the_list_of_processes(tmp_path, curious):
    os.mkdir(tmp_path / "plugins", 0o755)
    shutil.copy(curious, tmp_path / "plugins")
    words = [settings.taskhost(), "worker", "-b", "amqp://guest:geheim@127.0.0.1:1//", "--result-backend",
             "redis://:geheim@127.0.0.1:1/0", "--plugins", str(tmp_path / "plugins")]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(words, env=clean_environment(str(tmp_path)), cwd=tmp_path, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT)
    try:
        until("the worker to try its broker", lambda: "127.0.0.1:1" in (tmp_path / "log").read_text(), 60)
        shown = open(f"/proc/{process.pid}/cmdline").read().split("\0")
        assert "amqp://guest:******@127.0.0.1:1//" in shown and "redis://:******@127.0.0.1:1/0" in shown
        assert "geheim" not in (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()


def greeted_as(user, path):
    """Whether the worker says who it is to a process of this user."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(30)
            try:
                one.connect(path)
                os._exit(0 if one.recv(1) else 1)
            except ConnectionError:
                os._exit(1)
            finally:
                os._exit(2)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 1), status
    return status == 0


@pytest.mark.skipif(not ROOT, reason="needs a second user")
def test_the_worker_s_socket_hears_its_own_user_and_root_only(embedded, start_worker):
    folder = tempfile.mkdtemp(prefix="taskhost-law-")
    try:
        os.chmod(folder, 0o755)
        path = f"{folder}/socket"
        start_worker(embedded, "q", options=["--socket", path])
        # Somebody was careless with its mode.
        os.chmod(path, 0o666)
        assert [greeted_as(user, path) for user in (0, NOBODY)] == [True, False]
    finally:
        shutil.rmtree(folder)
