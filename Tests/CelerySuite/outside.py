"""pytest plugin: Celery's integration suite with a worker outside the pytest process.

The suite embeds a worker in its own process by the fixture `celery_session_worker`; here that fixture starts the
command of the plan instead. What a worker has to answer for is then told from what it never saw: each test has a time
limit, a worker that ends or hangs is started anew, and every outcome is written down as it comes.

CONFORMANCE_PLAN names a JSON file with: command (list; {node} stands for the node name), environment, log, results,
skip ({test: reason}), patience (seconds per test), slow ({name: seconds}).
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import celery.contrib.pytest
import pytest
import pytest_timeout
from celery.utils.nodenames import anon_nodename

with open(os.environ["CONFORMANCE_PLAN"]) as file:
    PLAN = json.load(file)
READY_WITHIN = 30
ENDS_WITHIN = 15


class Worker:
    """The process under test; it has the node name of the embedded one it stands in for."""

    def __init__(self):
        self.node = anon_nodename()
        self.process = None
        self.app = None
        self.starts = []

    def start(self, app, reason="the session begins"):
        self.app = app
        self.starts.append(reason)
        command = [word.replace("{node}", self.node) for word in PLAN["command"]]
        with open(PLAN["log"], "ab") as log:
            log.write(f"---- {reason}: {' '.join(command)}\n".encode())
            log.flush()
            self.process = subprocess.Popen(
                command, env={**os.environ, **PLAN["environment"]}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.exit(f"the worker ended with {self.process.returncode} while it started: see {PLAN['log']}", 3)
            if self.answers():
                return
        self.stop()
        pytest.exit(f"the worker answered no ping within {READY_WITHIN} s: see {PLAN['log']}", 3)

    def answers(self):
        try:
            return bool(self.app.control.ping(timeout=0.5)) or self.takes_messages()
        except OSError as problem:
            print(f"waiting for the worker: {problem}", file=sys.stderr)
            time.sleep(0.5)
            return False

    def takes_messages(self):
        """Without remote control the broker is asked; Redis can't tell."""
        with self.app.connection_for_write() as connection:
            if connection.transport.driver_type != "amqp":
                return False
            with contextlib.suppress(*connection.channel_errors):
                return connection.default_channel.queue_declare("celery", passive=True).consumer_count > 0
        return False

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(ENDS_WITHIN)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def restart(self, reason):
        self.stop()
        self.app.control.purge()
        self.start(self.app, reason)


WORKER = Worker()
RUNNING = []  # the test whose clock runs
TIMED_OUT = []  # since the worker was last started


@contextlib.contextmanager
def clock_stopped(item):
    """What we do for a test is not on its time; it starts with all of it."""
    item.config.hook.pytest_timeout_cancel_timer(item=item)
    yield
    item.config.hook.pytest_timeout_set_timer(item=item, settings=pytest_timeout._get_item_settings(item))


@pytest.fixture(scope="session")
def celery_session_worker(celery_session_app, celery_includes, celery_class_tasks):
    app = celery_session_app
    for module in celery_includes:
        app.loader.import_task_module(module)
    for task in celery_class_tasks:
        app.register_task(task)
    app.finalize()
    app.set_current()
    app.set_default()
    with clock_stopped(RUNNING[0]):
        WORKER.start(app)
    yield WORKER
    WORKER.stop()


@pytest.fixture(scope="session", autouse=True)
def always_a_worker(celery_session_worker):
    """Some tests rely on the worker that others have asked for."""


# The suite's conftest imports the fixture from there, after this plugin is loaded.
celery.contrib.pytest.celery_session_worker = celery_session_worker


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if item.nodeid in PLAN["skip"]]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item.nodeid not in PLAN["skip"]]
    for item in items:
        own = item.get_closest_marker("timeout")
        seconds = own.kwargs.get("timeout", own.args[0] if own.args else None) if own else None
        slow = PLAN["slow"].get(item.originalname)
        item.add_marker(pytest.mark.timeout(slow or min(seconds or PLAN["patience"], PLAN["patience"])), append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    RUNNING[:] = [item]
    if WORKER.process is None:
        return
    with clock_stopped(item):
        if WORKER.ended():
            WORKER.restart(f"it had ended before {item.nodeid}")
        elif TIMED_OUT:
            WORKER.restart(f"{TIMED_OUT.pop()} ran out of time")
    TIMED_OUT.clear()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    if WORKER.ended():
        pytest.fail(f"the worker ended with {WORKER.process.returncode} during this test")


class Ledger:
    """The outcome of each test is the worst of its phases; a run again starts it over."""

    ORDER = ["passed", "skipped", "failed"]

    def __init__(self):
        self.tests = {}

    def note(self, report):
        test = self.tests.setdefault(report.nodeid, {"outcome": "passed", "why": "", "seconds": 0.0, "again": 0})
        test["seconds"] = round(test["seconds"] + getattr(report, "duration", 0), 2)
        if report.outcome == "rerun":
            # A subtest's failure has been noted already, and says more.
            test.update(outcome="passed", why="", again=test["again"] + 1, first=test["why"] or self.crash(report))
            return
        # What is expected to fail and does says nothing about the worker; what passes all the same has passed.
        outcome = report.outcome
        why = ""
        if report.skipped:
            why = getattr(report, "wasxfail", "") or str(report.longrepr[2] if report.longrepr else "")
        elif report.failed:
            why = self.crash(report)
        if self.ORDER.index(outcome) > self.ORDER.index(test["outcome"]):
            test.update(outcome=outcome, why=why)

    @staticmethod
    def crash(report):
        crash = getattr(report.longrepr, "reprcrash", None)
        return f"[{report.when}] {crash.message if crash else report.longrepr}"[:2000]


LEDGER = Ledger()


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    LEDGER.note(report)
    if report.outcome in ("failed", "rerun") and "Timeout (>" in str(report.longrepr):
        TIMED_OUT.append(report.nodeid)
    if report.when == "teardown":
        with open(PLAN["results"], "a") as file:
            file.write(json.dumps({"test": report.nodeid, **LEDGER.tests[report.nodeid]}) + "\n")


def pytest_sessionfinish():
    with open(PLAN["results"], "a") as file:
        file.write(json.dumps({"starts": WORKER.starts}) + "\n")
