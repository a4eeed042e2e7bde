"""`taskhost events`: what it shows on each broker, what it leaves out, and how it ends."""
import json
import os
import signal
import subprocess

import pytest
from conftest import Embedded
from lab import settings
from lab.wait import TooLate, until


class Stream:
    """`taskhost events …` while it runs."""

    def __init__(self, folder, *words):
        self.out, self.err = (os.path.join(folder, name) for name in ("events-out", "events-err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([settings.dist("bin", "taskhost"), "events", *words], stdout=out, stderr=err)
        try:
            until("the stream to listen", lambda: "listening" in self.remarks or self.process.poll() is not None)
            assert self.process.poll() is None, self.remarks
        except BaseException:
            self.close()
            raise

    @property
    def remarks(self):
        return open(self.err).read()

    @property
    def lines(self):
        return open(self.out).read().splitlines()

    @property
    def events(self):
        """Whole lines only: the last one may be under way."""
        return [json.loads(line) for line in open(self.out).read().split("\n")[:-1]]

    def wait_for(self, what, *words):
        return until(what, lambda: next((line for line in self.lines if all(word in line for word in words)), None))

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(timeout=15)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Address:
    def __init__(self, broker, backend):
        self.broker, self.backend = broker, backend


@pytest.fixture(params=["rabbitmq", "redis", "embedded", "postgresql"])
def where(request, tmp_path, taskhost):
    return {"rabbitmq": lambda: Address(settings.server("AMQP_URL"), "rpc://"),
            "redis": lambda: Address(settings.server("REDIS_URL"), settings.server("REDIS_URL")),
            "embedded": lambda: Embedded(tmp_path, taskhost),
            "postgresql": lambda: request.getfixturevalue("database")}[request.param]()


@pytest.fixture
def node(queue):
    return f"shown-{queue}@test"


@pytest.fixture
def stream(tmp_path, where):
    started = []

    def start(*words):
        started.append(Stream(tmp_path, "-b", where.broker, *words))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def call(taskhost, where, queue):
    def send(task, *arguments):
        return taskhost("call", task, *map(str, arguments), "-b", where.broker, "--result-backend", "none", "-Q", queue,
                        "--json").json["id"]
    return send


def test_events_of_workers_and_tasks_are_shown_as_lines(where, stream, start_worker, node, queue, call):
    shown = stream("--worker", node)
    worker = start_worker(where, queue, options=["-n", node, "-E", "--heartbeat-interval", "0.3"])
    if not isinstance(where, Embedded):  # A host's own socket is found a moment after the worker has said so.
        shown.wait_for("the worker to come", "worker-online", node)
    shown.wait_for("a heartbeat", "worker-heartbeat", node, "processed=0")
    done = call("tasks.add", 2, 3)
    shown.wait_for("its start", "task-received", node, "tasks.add", done, "args=(2, 3)")
    shown.wait_for("its end", "task-succeeded", node, "tasks.add", done, "result=5.0 runtime=0.")
    unknown = call("nobody.knows")
    shown.wait_for("the failure", "task-failed", unknown, "exception=NotRegistered('nobody.knows')")
    worker.stop()
    shown.wait_for("the worker to go", "worker-offline", node)
    assert shown.interrupt() == 0


def test_the_embedded_brokers_events_are_those_of_its_file(embedded, tmp_path, taskhost, start_worker, queue):
    other = Embedded(tmp_path, taskhost)
    other.broker = other.backend = f"sqlite://{tmp_path}/other.db"
    start_worker(other, queue, options=["-n", "other@test", "--heartbeat-interval", "0.1"])
    start_worker(embedded, queue, options=["-n", "own@test", "--heartbeat-interval", "0.1"])
    shown = Stream(tmp_path, "-b", embedded.broker, "--json")
    both = Stream(tmp_path / "run", "--local", "--json")
    try:
        until("both workers' heartbeats", lambda: {event["hostname"] for event in both.events} == {"own@test", "other@test"})
        until("the own worker's", lambda: len(shown.events) > 3)
        assert {event["hostname"] for event in shown.events} == {"own@test"}
    finally:
        shown.close()
        both.close()


def test_json_has_one_event_per_line_and_filters_choose(where, stream, start_worker, node, queue, call):
    start_worker(where, queue, options=["-n", node, "-E", "--heartbeat-interval", "0.2"])
    shown = stream("--json", "--type", "task-s*,task-failed", "--task", "tasks.*", "--worker", node)
    call("nobody.knows")
    first, second = call("tasks.add", 1, 2), call("tasks.add", 3, 4)
    until("both ends", lambda: sum(event["type"] == "task-succeeded" for event in shown.events) == 2)
    told = shown.events
    # Neither heartbeats, nor the start of a task (task-received), nor the one of another name.
    assert {event["type"] for event in told} == {"task-started", "task-succeeded"}
    assert {event["uuid"] for event in told} == {first, second} and {event["hostname"] for event in told} == {node}
    [ended] = [event for event in told if event["type"] == "task-succeeded" and event["uuid"] == first]
    assert ended["result"] == "3.0" and ended["clock"] > 0 and ended["timestamp"] > 0
    assert shown.interrupt(signal.SIGTERM) == 0


def test_a_hint_when_no_worker_sends_them_and_enable_turns_them_on(where, stream, start_worker, node, queue, call,
                                                                   queues):
    start_worker(where, queue, options=["-n", node, "--without-heartbeat"])
    silent = stream("--worker", node)
    until("the hint", lambda: "--enable turns them on" in silent.remarks)
    assert silent.interrupt() == 0
    shown = stream("--enable", "--type", "task-*")

    def heard():
        # The order may come after the first task.
        one = call("tasks.add", 1, 1)
        try:
            return until("its end", lambda: any(one in line and "task-succeeded" in line for line in shown.lines), 3)
        except TooLate:
            return False
    until("an end to be shown", heard)
    # One that comes later is told as well.
    late = f"late-{node}"
    start_worker(where, queues.new(), options=["-n", late])
    until("the late one to be told", lambda: "true" in told(where, late))
    assert shown.interrupt() == 0


def told(where, node):
    return subprocess.run([settings.dist("bin", "taskhost"), "inspect", "overview", "-b", where.broker, "-d", node],
                          capture_output=True, text=True, timeout=30).stdout
