"""One running taskhost worker: started from the built tree, watched through its log and READY=1, stopped by signal."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from lab import processes, settings
from lab.wait import until


class Worker:
    """`queues` is what -Q takes; `plugins` are files that are copied into a plugins folder of its own; `wrap` are words of
    a program that executes the rest."""

    def __init__(self, folder, broker, backend, queues, plugins, slots=2, grace=20, options=(), environment=None,
                 wait=True, level="DEBUG", wrap=()):
        os.makedirs(folder)
        self.folder = folder
        self.plugins = os.path.join(folder, "plugins")
        os.mkdir(self.plugins, 0o755)
        for plugin in plugins:
            self.install(plugin)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(os.path.join(folder, "notify"))
        self.notices.setblocking(False)
        self.notified = []
        self.words = [*wrap, settings.taskhost(), "worker", "-b", broker, "-Q", queues, "-c", str(slots), "-l", level,
                      "--plugins", self.plugins, "--log-format", "json", "--grace", str(grace)]
        if backend:
            self.words += ["--result-backend", backend]
        self.words += list(options)
        self.environment = {**clean_environment(folder), "NOTIFY_SOCKET": os.path.join(folder, "notify"),
                            **(environment or {})}
        self.starts = 0
        self.start(wait)

    def start(self, wait=True):
        self.starts += 1
        self.log_path = os.path.join(self.folder, f"log-{self.starts}")
        self.take_notices()  # what the one before said and nobody read
        self.notified.clear()
        self.started_at = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.words, env=self.environment, cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        # Collects the exit status at once, so that a killed host is gone for everybody who looks.
        threading.Thread(target=self.process.wait, daemon=True).start()
        if wait:
            self.wait_until_ready()

    def install(self, plugin, name=None):
        """Copies a bundle into the plugins folder as a deployment should: beside it, then renamed."""
        target = os.path.join(self.plugins, name or os.path.basename(plugin))
        shutil.copy(plugin, target + ".new")
        os.rename(target + ".new", target)
        return target

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def log(self):
        """Every line so far: a dict for JSON, {"text": …} for anything else."""
        with open(self.log_path, errors="replace") as file:
            lines = file.read().splitlines()
        return [parsed(line) for line in lines if line.strip()]

    def tail(self, count=40):
        with open(self.log_path, errors="replace") as file:
            return "".join(file.readlines()[-count:])

    def events(self, name):
        return [line for line in self.log() if line.get("event") == name]

    def said(self, *words):
        """The first log line that contains all the words, or None."""
        with open(self.log_path, errors="replace") as file:
            return next((line for line in file if all(word in line for word in words)), None)

    def wait_for_log(self, *words, seconds=30.0):
        return self.wait_for(f"a log line with {' and '.join(words)}", lambda: self.said(*words), seconds)

    def wait_until_ready(self, seconds=30.0):
        self.wait_for("the worker to be ready", lambda: "READY=1" in self.take_notices() or self.events("ready"),
                      seconds)

    def wait_for(self, what, probe, seconds=30.0):
        """Like `until`, but over as soon as the worker ends; shows its last words when it fails."""
        def probe_alive():
            value = probe()
            if not value and not self.running:
                raise AssertionError(f"waited for {what}, but the worker ended with status "
                                     f"{self.process.returncode}:\n{self.tail()}")
            return value
        try:
            return until(what, probe_alive, seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n--- last lines of {self.log_path}:\n{self.tail()}") from None

    def take_notices(self):
        while True:
            try:
                self.notified += self.notices.recv(4096).decode().split("\n")
            except BlockingIOError:
                return self.notified

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=30.0):
        """The exit status; negative for a signal."""
        until(f"the worker to end; its last lines:\n{self.tail()}\n", lambda: not self.running, seconds)
        return self.process.returncode

    def stop(self, number=signal.SIGTERM, seconds=40.0):
        if self.running:
            self.send(number)
        return self.wait(seconds)

    def kill(self):
        """SIGKILL, then waits until nothing of the tree is left."""
        family = processes.descendants(self.pid)
        if self.running:
            self.process.kill()
        self.wait()
        until(f"the processes below a killed host to end ({family})",
              lambda: not any(processes.alive(pid) for pid in family), 10)

    def close(self):
        """For fixtures: whatever happened before, nothing stays behind."""
        family = processes.descendants(self.pid) if self.running else []
        try:
            if self.running:
                self.stop(seconds=30)
        finally:
            if self.running:
                self.process.kill()
                self.wait()
            self.notices.close()
        left = [pid for pid in family if processes.alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, f"the worker left processes behind: {left}\n{self.tail()}"


def clean_environment(home):
    """Nothing of the developer's own settings; a home and state folder of the test's own. Journeys set the run folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "TASKHOST_RUNTIME_DIR")
            if name in os.environ}
    return {**kept, "HOME": home, "XDG_STATE_HOME": os.path.join(home, "state"),
            "XDG_CONFIG_HOME": os.path.join(home, "config")}


def parsed(line):
    try:
        value = json.loads(line)
    except ValueError:
        return {"text": line}
    return value if isinstance(value, dict) else {"text": line}
