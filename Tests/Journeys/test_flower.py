"""Flower, started as its users start it, watches a worker and gives it orders over its REST API."""
import collections
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from lab.wait import until

# How many tasks of which ending; `send` below says which task ends so.
ENDINGS = {"success": 100, "second try": 25, "failure": 25, "unknown": 10, "crash": 5, "killed": 5, "rejected": 5,
           "expired": 10, "revoked": 15}
STATES = {"SUCCESS": 125, "FAILURE": 50, "REVOKED": 25}
APP = """
import celery
app = celery.Celery("watched")
@app.task(name="tasks.add")
def add(a, b): ...
@app.task(name="journey.gate")
def gate(path, word, gate): ...
"""


class Flower:
    def __init__(self, broker, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api/"
        self.log = folder / "flower.log"
        # As its users do: it offers limits only for tasks that its own app knows.
        (folder / "watched.py").write_text(APP)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "watched", "-b", broker, "flower", "--address=127.0.0.1", f"--port={port}"],
                env={**os.environ, "FLOWER_UNAUTHENTICATED_API": "true"}, cwd=folder, stdout=log, stderr=log)

    def get(self, path, **query):
        return self.ask("GET", path, query)

    def post(self, path, **query):
        return self.ask("POST", path, query)

    def ask(self, method, path, query):
        request = urllib.request.Request(self.url + path + "?" + urllib.parse.urlencode(query), method=method,
                                         data=b"" if method == "POST" else None)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None

    def knows(self, node):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("workers", refresh=1).get(node)
        except OSError:
            return None  # It doesn't listen yet.

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def flower(redis_transport, tmp_path):
    one = Flower(redis_transport.broker, tmp_path)
    yield one
    one.close()


@pytest.fixture
def node(queue):
    return f"flower-{queue}@test"


def send(transport, ending, queue, path):
    name, args, options = {
        "success": ("tasks.add", (1, 2), {}),
        "second try": ("journey.retry_until", (1, 0.0), {}),
        "failure": ("journey.retry_always", (path, 0.0, 0, "no luck"), {}),
        "unknown": ("nobody.knows", (), {}),
        "crash": ("journey.speak_and_crash", ("bye",), {}),
        "killed": ("journey.gate", (path, "word", path + ".never"), {"time_limit": 0.3}),
        "rejected": ("journey.reject", (path, False), {}),
        # Not before it is in our hands: RabbitMQ throws away what expires in a queue.
        "expired": ("tasks.add", (1, 2), {"countdown": 4, "expires": 3}),
        "revoked": ("tasks.add", (1, 2), {"countdown": 3}),
    }[ending]
    task = transport.send(name, *args, queue=queue, **options)
    if ending == "revoked":
        task.revoke()
    return task


def test_flower_shows_tasks_of_every_ending_and_its_buttons_work(redis_transport, flower, start_worker, queue, node,
                                                                 queues, note, gate):
    worker = start_worker(redis_transport, queue, slots=2, options=["-n", node, "--heartbeat-interval", "1"])
    seen = until("Flower to know the worker", lambda: flower.knows(node), 60)
    assert [one["name"] for one in seen["active_queues"]] == [queue]
    assert "tasks.add" in seen["registered"] and seen["conf"]["worker_concurrency"] == 2
    assert seen["stats"]["pool"]["max-concurrency"] == 2 and seen["stats"]["broker"]["transport"] == "amqp"
    # It asks all workers for events of tasks, again and again.
    probe = redis_transport.send("tasks.add", 0, 0, queue=queue)
    while probe.id not in flower.get("tasks", limit=1000):
        probe = redis_transport.send("tasks.add", 0, 0, queue=queue)
        assert probe.get(timeout=30) == 0

    sent = {send(redis_transport, ending, queue, str(note)).id: ending
            for ending, count in ENDINGS.items() for _ in range(count)}

    def ours():
        return {key: one for key, one in flower.get("tasks", limit=10_000).items() if key in sent}

    def ended():
        states = collections.Counter(one["state"] for one in ours().values())
        return states if set(states) <= set(STATES) and sum(states.values()) == len(sent) else None

    try:
        states = until("200 endings", ended, 60, every=0.3)
    except AssertionError as problem:
        left = collections.Counter((sent[key], one["state"]) for key, one in ours().items())
        raise AssertionError(f"{problem}: {left}") from None
    assert states == STATES, collections.Counter((sent[key], one["state"]) for key, one in ours().items())
    tasks = {ending: next(one for key, one in ours().items() if sent[key] == ending) for ending in ENDINGS}
    well = tasks["success"]
    assert (well["name"], well["args"], well["result"]) == ("tasks.add", "(1, 2)", "3.0")
    assert well["worker"] == node and well["runtime"] > 0 and well["received"] <= well["started"] <= well["succeeded"]
    assert tasks["second try"]["retries"] == 1 and tasks["second try"]["retried"]
    assert tasks["unknown"]["exception"] == "NotRegistered('nobody.knows')"
    assert tasks["crash"]["exception"].startswith("WorkerLostError('Worker exited prematurely")
    assert tasks["killed"]["exception"] == "TimeLimitExceeded(0.3)"
    assert tasks["expired"]["revoked"] and tasks["revoked"]["revoked"]

    # Its buttons.
    second = queues.new()
    assert "message" in flower.post(f"worker/queue/add-consumer/{node}", queue=second)
    assert redis_transport.send("tasks.add", 4, 5, queue=second).get(timeout=30) == 9
    assert "message" in flower.post(f"worker/queue/cancel-consumer/{node}", queue=second)
    until("the queue to be left", lambda: [one["name"] for one in flower.knows(node)["active_queues"]] == [queue])
    assert "message" in flower.post("task/rate-limit/tasks.add", workername=node, ratelimit="600/m")
    until("the rate to be shown", lambda: "tasks.add [rate_limit=600/m]" in flower.knows(node)["registered"])
    assert "message" in flower.post("task/timeout/journey.gate", workername=node, soft=0.2, hard=0.4)
    limited = redis_transport.send("journey.gate", str(note), "limited", gate.path, queue=queue)
    until("its limit to end it", lambda: flower.get("tasks", limit=10_000).get(limited.id, {}).get("state") == "FAILURE")
    assert "message" in flower.post("task/timeout/journey.gate", workername=node, soft=30, hard=60)
    running = redis_transport.send("journey.gate", str(note), "running", gate.path, queue=queue)
    until("it to run", lambda: "running" in note.lines)
    assert "message" in flower.post(f"task/revoke/{running.id}", terminate="true", signal="SIGKILL")
    until("its end", lambda: flower.get("tasks", limit=10_000).get(running.id, {}).get("state") == "REVOKED")
    assert "message" in flower.post(f"worker/shutdown/{node}")
    assert worker.wait() == 0
