"""Several beats, one of which sends; the next goes on when it is killed."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import uuid

import amqp.exceptions
import kombu
import pytest
import redis
from lab import postgresql, settings
from lab.amqp import Queues
from lab.wait import until
from lab.worker import Worker, clean_environment
from conftest import example

SCHEDULES = """
[schedules.tick]
task = "tasks.add"
args = [4, 6]
cron = "* * * * *"
missed = "all"
queue = "QUEUE"

[schedules.often]
task = "tasks.add"
args = [1, 2]
every = 1
missed = "all"
queue = "QUEUE"
expires = 600
"""


class Beat:
    def __init__(self, folder, broker, name):
        self.log = folder / f"{name}.log"
        self.process = subprocess.Popen(
            [settings.taskhost(), "beat", "-b", broker, "--config", str(folder / "beat.toml"), "--log-format", "json"],
            cwd=folder, env=clean_environment(str(folder)), stdin=subprocess.DEVNULL, stderr=open(self.log, "w"))

    def events(self, kind):
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if line.get("event") == kind]

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def end(self):
        self.process.terminate()
        return self.process.wait(15)


@pytest.fixture(params=["sqlite", "redis", "rabbitmq", "postgresql"])
def broker(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("database").broker
    if request.param == "redis":
        return settings.server("REDIS_URL")
    return f"sqlite://{tmp_path}/taskhost.db" if request.param == "sqlite" else settings.server("AMQP_URL")


@pytest.fixture
def start_beat(tmp_path, broker):
    queue = "beat-" + uuid.uuid4().hex[:8]
    (tmp_path / "beat.toml").write_text(SCHEDULES.replace("QUEUE", queue))
    started = []

    def start(name):
        one = Beat(tmp_path, broker, name)
        started.append(one)
        return one

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
    if broker.startswith("amqp"):
        Queues().close()


def seat_is_free(broker):
    """Whether nobody is said to lead."""
    if broker.startswith("redis"):
        with redis.Redis.from_url(broker) as client:
            return client.get("taskhost-beat-leader") is None
    if broker.startswith("postgresql"):
        return postgresql.sql(broker, "SELECT lease_until FROM taskhost.leader") == "-infinity"
    if broker.startswith("sqlite"):
        with sqlite3.connect(broker.removeprefix("sqlite://")) as file:
            return file.execute("SELECT lease_until FROM leader").fetchone() == (0,)
    with kombu.Connection(broker) as connection, connection.channel() as channel:
        try:
            channel.queue_declare("taskhost.beat.leader", passive=True)
        except amqp.exceptions.NotFound:
            return True
        except amqp.exceptions.ResourceLocked:
            return False
        raise AssertionError("a seat that belongs to nobody")


def often(beat):
    """Those of the schedule that is due every second: the others' number depends on the minute."""
    return [line for line in beat.events("beat-sent") if line["schedule"] == "often"]


def sent_by(*beats):
    """(schedule, due time) of all that was sent, as often as it was; each is one task."""
    lines = [line for one in beats for line in one.events("beat-sent")]
    sent = [(line["schedule"], line["due"]) for line in lines]
    assert len({line["task_id"] for line in lines}) == len(set(sent))
    # Not one due time of the one that is due every second is left out.
    times = sorted({due for name, due in sent if name == "often"})
    seconds = [int(due[17:19]) for due in times]
    assert len(times) >= 5 and all((b - a) % 60 == 1 for a, b in zip(seconds, seconds[1:])), times
    return sent


def test_one_sends_and_another_goes_on_when_it_is_killed(start_beat, broker, taskhost):
    first = start_beat("first")
    until("the first to lead", lambda: first.events("beat-leading"))
    second = start_beat("second")
    until("the second to stand by", lambda: second.events("beat-following"))
    until("the first to send", lambda: len(often(first)) >= 3)
    assert not second.events("beat-sent")
    os.kill(first.process.pid, signal.SIGKILL)
    killed = time.monotonic()
    first.process.wait(10)
    until("the second to lead", lambda: second.events("beat-leading"), seconds=10)
    assert time.monotonic() - killed < 10
    until("the second to send", lambda: len(often(second)) >= 3)
    assert second.end() == 0
    sent = sent_by(first, second)
    # Killed between sending and remembering, the first may have left one to be sent again, as the same task.
    assert len(sent) - len(set(sent)) <= 1


@pytest.fixture
def start_worker_with_beat(tmp_path, broker, start_beat):
    queue = json.loads((tmp_path / "beat.toml").read_text().split("queue = ")[1].splitlines()[0])
    started = []

    def start(name):
        options = ("-B", "--config", str(tmp_path / "beat.toml"))
        started.append(Worker(str(tmp_path / name), broker, None, queue, [example("arithmetic")], options=options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_worker_with_beat_sends_and_runs_and_a_stop_in_order_frees_the_seat(
        start_worker_with_beat, start_beat, broker):
    worker = start_worker_with_beat("worker")
    worker.wait_for("its beat to lead", lambda: worker.events("beat-leading"))
    assert not seat_is_free(broker)
    first = worker.wait_for("it to send", lambda: worker.events("beat-sent"))[0]
    worker.wait_for_log(first["task_id"], "succeeded")
    worker.wait_for("three more", lambda: len(often(worker)) >= 4)
    assert worker.stop() == 0
    # Not only once its lease has run out.
    assert seat_is_free(broker)
    beat = start_beat("beat")
    until("the beat to send", lambda: len(often(beat)) >= 3)
    assert beat.end() == 0
    assert seat_is_free(broker)
    # In order means that what was sent is remembered, too.
    sent = sent_by(worker, beat)
    assert len(sent) == len(set(sent))


def test_systemd_is_told_when_beat_is_ready_and_when_it_stops(broker, tmp_path):
    """In the log, too: what waits for one of them needs not guess."""
    (tmp_path / "beat.toml").write_text(SCHEDULES.replace("QUEUE", f"q-{uuid.uuid4().hex[:8]}"))
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(str(tmp_path / "notify"))
    notices.settimeout(20)
    log = tmp_path / "beat.log"
    process = subprocess.Popen(
        [settings.taskhost(), "beat", "-b", broker, "--config", str(tmp_path / "beat.toml"), "--log-format", "json"], cwd=tmp_path,
        env={**clean_environment(str(tmp_path)), "NOTIFY_SOCKET": str(tmp_path / "notify")}, stdin=subprocess.DEVNULL,
        stderr=open(log, "w"))

    def told(word):
        while word not in notices.recv(4096).decode():
            pass

    try:
        told("READY=1\nSTATUS=sending what is due")
        until("the line of the log", lambda: '"event":"ready"' in log.read_text().replace(": ", ":"))
        process.terminate()
        told("STOPPING=1")
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
        notices.close()
