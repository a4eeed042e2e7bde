"""A Python worker and a taskhost on one queue share one canvas of 500 tasks, and either is killed now and then.

The seed is printed and can be given: TASKHOST_TEST_SEED=7.
"""
import json
import os
import random
import signal
import subprocess
import sys

import fleet_evidence
import pytest
import redis
from lab import amqp, bundles, clients, processes, settings
from lab.wait import TooLate, until
from lab.worker import Worker, clean_environment
from mixed_canvas import MixedCanvas

HERE = os.path.dirname(os.path.abspath(__file__))
TASKS = 500
NATIVE, PYTHON = 2, 4  # slots: Python takes seconds to start anew, and each is to have a good part of the tasks
QUIET = 60  # seconds without a new result after which the rest is taken for lost; a dead claim alone takes 21
DATABASE = 5  # of the tests' Redis: one that nobody else stores results in


class PythonWorker:
    """Celery's own worker with its processes; killed and started anew as a whole."""

    def __init__(self, folder, broker, backend, queue):
        self.log = os.path.join(folder, "python.log")
        self.environment = {**clean_environment(folder), "FLEET_BROKER": broker, "FLEET_BACKEND": backend,
                            "FLEET_QUEUE": queue, "PYTHONDONTWRITEBYTECODE": "1"}
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "fleet_app", "worker", "-P", "prefork", "-c", str(PYTHON),
                 "-n", "python@fleet", "-l", "INFO"],
                cwd=HERE, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        """The worker first: its processes end by themselves, or are ended."""
        family = processes.descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it had ended by itself
        until("the processes of a killed Python worker to end",
              lambda: not any(processes.alive(pid) for pid in family))


@pytest.fixture
def results():
    """The database of this test, empty before and after."""
    url = settings.server("REDIS_URL").rsplit("/", 1)[0] + f"/{DATABASE}"
    one = redis.Redis.from_url(url)
    one.flushdb()
    one.url = url
    yield one
    one.flushdb()
    one.close()


@pytest.fixture
def queue():
    queues = amqp.Queues()
    yield queues.new("fleet")
    queues.close()


def metas(results):
    keys = list(results.scan_iter("celery-task-meta-*", count=1000))
    return [json.loads(value) for value in results.mget(keys) if value is not None] if keys else []


def done(results):
    return [meta for meta in metas(results) if meta["status"] == "SUCCESS"]


@pytest.mark.chaos
def test_a_canvas_shared_by_python_and_taskhost_completes_while_either_is_killed(results, queue, tmp_path):
    seed = int(os.environ.get("TASKHOST_TEST_SEED") or random.SystemRandom().randrange(1 << 31))
    print(f"TASKHOST_TEST_SEED={seed}")
    broker = settings.server("AMQP_URL")
    app = clients.app(broker, results.url, task_default_queue=queue)
    canvas = MixedCanvas(app, seed, TASKS)
    config = tmp_path / "taskhost.toml"
    config.write_text("[results]\nextended = true\n")
    plugin = bundles.build_c(os.path.join(HERE, "fleet.c"), str(tmp_path))
    native = Worker(str(tmp_path / "native"), broker, results.url, queue, [plugin], slots=NATIVE,
                    options=["--config", str(config), "--hostname", "native@fleet"])
    python = PythonWorker(str(tmp_path), broker, results.url, queue)
    try:
        fleet = Fleet(results, app, queue, native, python)
        until("the Python worker to answer", lambda: app.control.ping(["python@fleet"], timeout=1), 60)
        outcome = canvas.signature.apply_async()
        for number, victim in enumerate(order(seed), start=1):
            fleet.wait(f"enough results before kill {number}",
                       lambda count=60 * number: len(done(results)) >= count, every=0.02)
            victim = {"native": native, "python": python}[victim]
            victim.kill()
            victim.start()
        fleet.wait("the body of the canvas", outcome.ready, every=0.2)
        assert outcome.get(timeout=5) == canvas.values
        fleet.wait("every task to have its result", lambda: len(done(results)) == TASKS)
        check(results)
        native.stop()
    finally:
        python.kill()
        native.close()
        app.close()
    assert amqp_ready(queue) == 0
    assert amqp_ready(f"{queue}.dead") in (None, 0)


class Fleet:
    """Waits as long as something moves; when nothing does, everybody is asked why."""

    def __init__(self, results, app, queue, native, python):
        self.results, self.app, self.queue, self.native, self.python = results, app, queue, native, python

    def wait(self, what, probe, every=0.1):
        count, value = -1, None
        while not value:
            now = len(done(self.results))
            if now == count:
                told = fleet_evidence.gather(self.results, metas(self.results), self.app, self.queue, self.native,
                                             self.python)
                losses = fleet_evidence.losses(self.results, metas(self.results), self.native, self.python)
                if losses and all(side == "python" for side, _ in losses):
                    print(told)
                    pytest.xfail("; ".join(sentence for _, sentence in losses))
                raise AssertionError(f"{now} of {TASKS} tasks are done, and for {QUIET} s none more; waited for {what}"
                                     f"\n{told}")
            count = now
            try:
                value = until(what, probe, QUIET, every)
            except TooLate:
                value = None  # another round, if something has moved


def order(seed):
    """Three kills of each, in a random order."""
    victims = ["native", "python"] * 3
    random.Random(seed).shuffle(victims)
    return victims


def check(results):
    found = metas(results)
    assert {meta["status"] for meta in found} == {"SUCCESS"}
    assert len(found) == TASKS, "a task ran under an id that the canvas has not"
    by = {name: sum(meta["worker"] == name for meta in found) for name in ("native@fleet", "python@fleet")}
    print(by)
    assert min(by.values()) >= TASKS // 5, f"one of the two did nearly everything: {by}"
    assert sum(by.values()) == TASKS


def amqp_ready(queue):
    queues = amqp.Queues()
    try:
        return queues.ready(queue)
    finally:
        queues.close()
