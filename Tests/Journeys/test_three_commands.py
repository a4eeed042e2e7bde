"""From nothing to a task of one's own: `taskhost new`, `dev`, `call`, `run`, and what clients get of a bundle."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import example
from lab import command, settings
from lab.worker import clean_environment

PYTHON = os.path.dirname(sys.executable)


def until(look, seconds=60):
    """Waits until look() answers something true, and gives it."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


class Dev:
    """A `taskhost dev` in a folder, and what it says."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.log = folder / "dev.log"
        variables = clean_environment(str(folder.parent))
        variables["PATH"] = f"{PYTHON}:{variables['PATH']}"
        with open(self.log, "w") as output:
            self.process = subprocess.Popen(
                [settings.taskhost(), "dev", *words], cwd=folder, env=variables, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output)

    def said(self, pattern, times=1):
        return until(lambda: len(re.findall(pattern, self.log.read_text())) >= times)

    def call(self, *words):
        return command.run(self.folder, "call", *words, environment={"HOME": str(self.folder.parent)})

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def dev(folder, *words):
    one = Dev(folder, *words)
    try:
        yield one
    except BaseException:
        print(one.log.read_text())
        raise
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_three_commands_give_a_sum_and_a_saved_change_is_served(taskhost, tmp_path):
    made = taskhost("new", "demo").expect(0)
    assert "taskhost dev" in made.out and "taskhost call tasks.add 4 6" in made.out
    folder = tmp_path / "demo"
    source = folder / "tasks.c"
    with dev(folder) as one:
        one.said("ready: 2 tasks")
        assert "taskhost call tasks.add 4 6" in one.log.read_text()
        assert one.call("tasks.add", 4, 6).expect(0).out == "10\n"
        assert one.call("tasks.count", "--kw", "to=2", "--json").expect(0).json["result"] == [1, 2]
        # Commands typed here mean its bundles.
        assert "tasks.add" in command.run(folder, "bundles").expect(0).out
        assert "bundle demo.so" in command.run(folder, "doctor").out
        # Who runs a second one by mistake is told.
        assert "another taskhost dev" in command.run(folder, "dev").expect(73).err

        edit(source, "return x + y;", "return x * y;")
        one.said("A newer version replaces")
        assert one.call("tasks.add", 4, 6).out == "24\n"
        # A compile error is shown as it is, and what was there before goes on.
        edit(source, "return x * y;", "return x * ;")
        one.said("the build failed")
        said = one.log.read_text()
        assert "tasks.c:6:" in said and "\x1b[" not in said
        assert one.call("tasks.add", 4, 6).out == "24\n"
        edit(source, "return x * ;", "return x - y;")
        one.said("A newer version replaces", times=2)
        assert one.call("tasks.add", 4, 6).out == "-2\n"
        assert one.end() == 0
    # Without it nothing leads commands here to a broker that nobody serves.
    assert not (folder / ".taskhost" / "dev.toml").exists()
    assert "no `taskhost dev` runs in this folder" in one.call("tasks.add", 4, 6, "--no-check").err


def test_a_killed_dev_takes_its_worker_along_and_leads_nobody_astray(taskhost, tmp_path):
    taskhost("new", "demo").expect(0)
    with dev(tmp_path / "demo") as one:
        one.said("ready: 2 tasks")
        worker = int(subprocess.run(["pgrep", "-P", str(one.process.pid), "taskhost"], check=True, capture_output=True,
                                    text=True).stdout)
        one.process.kill()
        one.process.wait()
        until(lambda: not os.path.exists(f"/proc/{worker}"))
        assert (tmp_path / "demo" / ".taskhost" / "dev.toml").exists()
        assert "no `taskhost dev` runs" in one.call("tasks.add", 4, 6, "--no-check").err


def test_a_celery_app_is_served_and_imported_anew_after_a_change(taskhost, tmp_path):
    taskhost("new", "demo", "--lang", "python", environment={"PATH": f"{PYTHON}:{os.environ['PATH']}"}).expect(0)
    folder = tmp_path / "demo"
    with dev(folder) as one:
        one.said("ready: ")
        assert one.call("tasks.add", 4, 6).expect(0).out == "10\n"
        edit(folder / "tasks.py", "return x + y", "return x * y")
        one.said("HUP")
        until(lambda: one.call("tasks.add", 4, 6).out == "24\n")
        assert one.end() == 0


# ---- one run, without a broker ----

def test_run_prints_the_result_alone_and_tells_what_it_cost(taskhost):
    done = taskhost("run", example("arithmetic"), "tasks.add", 4, "--kw", "y=-6.5").expect(0)
    assert done.out == "-2.5\n"
    assert done.err.startswith("SUCCESS\ntook ") and " MiB of memory" in done.err


def test_run_fails_as_the_task_does(taskhost):
    done = taskhost("run", example("arithmetic"), "tasks.add", 4).expect(1)
    assert done.out == "" and "FAILURE: TypeError: add() missing 1 required positional argument: 'y'" in done.err
    done = taskhost("run", example("arithmetic"), "tasks.fail", "--json").expect(1)
    assert done.json["state"] == "FAILURE" and done.json["result"]["exc_type"] == "ValueError"


def test_run_keeps_the_limits_of_a_worker_and_shows_where_a_crash_was(taskhost):
    done = taskhost("run", example("sleeper"), "sleeper.sleep", 60, "--time-limit", 0.3, "--json").expect(1)
    assert done.json["verdict"] == "FAILURE: TimeLimitExceeded: killed at its hard limit of 0.3 s"
    assert done.json["seconds"] < 10
    done = taskhost("run", example("saboteur"), "saboteur.segv").expect(1)
    assert "CRASHED: its process ended by SIGSEGV" in done.err and "saboteur.so" in done.err


def test_run_repeats(taskhost):
    done = taskhost("run", example("arithmetic"), "tasks.add", 4, 6, "--repeat", 50, "--json").expect(0)
    assert done.json["runs"] == 50 and done.json["states"] == {"SUCCESS": 50} and len(done.json["all_seconds"]) == 50


# ---- what clients get ----

def test_python_stubs_are_tasks_that_check_their_arguments_before_they_are_sent(taskhost, tmp_path):
    text = taskhost("bundles", example("arithmetic"), "--stubs", "python").expect(0).out
    (tmp_path / "arithmetic_tasks.py").write_text(text)
    program = """
import celery
app = celery.Celery(broker="memory://")
from arithmetic_tasks import add, fail
assert add.name == "tasks.add" and "sum" in add.__doc__
assert add.s(4, 6) | add.s(1)
add.delay(4, y=6.0)
try:
    add.delay(4)
except TypeError as error:
    print(error)
fail.delay()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "add() missing 1 required positional argument: 'y'\n"


def test_swift_stubs_are_declarations_that_compile(taskhost, tmp_path):
    text = taskhost("bundles", example("arithmetic"), example("images"), "--stubs", "swift").expect(0).out
    assert 'public static let taskName = "tasks.add"' in text and "public typealias Output = Double" in text
    (tmp_path / "Tasks.swift").write_text(text + "\nfunc sum() throws -> Signature { try Signature(Add(x: 4, y: 6)) }\n")
    subprocess.run(["swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-I", settings.dist("lib/taskhost"),
                    "Tasks.swift"], cwd=tmp_path, check=True, timeout=120)


def test_typescript_stubs_name_parameters_and_types(taskhost):
    text = taskhost("bundles", example("arithmetic"), "--stubs", "typescript").expect(0).out
    assert ('"tasks.add": { args: [x: number, y: number]; kwargs: { "x": number; "y": number }; result: number };'
            in text)
    assert '"tasks.fail": { args: [message?: string]; kwargs: { "message"?: string }; result: null };' in text


def test_a_schema_and_the_list_of_bundles_tell_parameters(taskhost):
    schema = taskhost("bundles", example("images"), "--json-schema").expect(0).json["$defs"]["images.thumbnail"]
    assert schema["required"] == ["path"] and schema["additionalProperties"] is False
    assert schema["properties"]["width"] == {"type": "integer", "default": 160}
    bundle = taskhost("bundles", example("arithmetic"), "--json").expect(0).json["bundles"][0]
    assert bundle["tasks"][0]["parameters"] == [
        {"name": "x", "type": "f64", "required": True}, {"name": "y", "type": "f64", "required": True}]
    assert bundle["tasks"][3]["parameters"][0]["default"] == "this task always fails"


@pytest.mark.parametrize("more", [["--json", "--json-schema"], ["--stubs", "python", "--json"]])
def test_one_form_of_a_list_at_a_time(taskhost, more):
    assert "say one of them" in taskhost("bundles", example("arithmetic"), *more).expect(64).err


@pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb here")
def test_run_stops_in_gdb_where_the_task_begins_and_lets_it_go_on(tmp_path):
    command.run(tmp_path, "new", "demo").expect(0)
    subprocess.run(["make", "-s", "-C", tmp_path / "demo"], check=True, env={**os.environ, "TASKHOST_SDK": settings.dist("share/taskhost/sdk")})
    # What is typed there: the stack, its arguments, and on.
    done = subprocess.run(
        [settings.taskhost(), "run", "demo/build/demo.so", "tasks.add", "4", "6", "--gdb"], cwd=tmp_path, timeout=120,
        env={**clean_environment(str(tmp_path)), "DEBUGINFOD_URLS": ""}, capture_output=True, text=True,
        input="backtrace 1\nprint x * 100 + y\ncontinue\nquit\n")
    assert re.search(r"#0 .*add \(x=4, y=6\)", done.stdout), done.stdout + done.stderr
    assert "= 406" in done.stdout and re.search(r"^(\(gdb\) )?10$", done.stdout, re.M), done.stdout + done.stderr
    assert done.returncode == 0
