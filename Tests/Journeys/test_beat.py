"""Several beats, one of which sends; the next goes on when it is killed."""
import json
import os
import signal
import subprocess
import time
import uuid

import pytest
from lab import amqp, settings
from lab.wait import until
from lab.worker import clean_environment

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


@pytest.fixture(params=["sqlite", "redis", "rabbitmq"])
def broker(request, tmp_path):
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
        amqp.Queues().close()


def test_one_sends_and_another_goes_on_when_it_is_killed(start_beat, broker, taskhost):
    first = start_beat("first")
    until("the first to lead", lambda: first.events("beat-leading"))
    second = start_beat("second")
    until("the second to stand by", lambda: second.events("beat-following"))
    until("the first to send", lambda: len(first.events("beat-sent")) >= 3)
    assert not second.events("beat-sent")
    os.kill(first.process.pid, signal.SIGKILL)
    killed = time.monotonic()
    first.process.wait(10)
    until("the second to lead", lambda: second.events("beat-leading"), seconds=10)
    assert time.monotonic() - killed < 10
    until("the second to send", lambda: len(second.events("beat-sent")) >= 3)
    assert second.end() == 0
    sent = [(line["schedule"], line["due"]) for one in (first, second) for line in one.events("beat-sent")]
    # Killed between sending and remembering, the first may have left one to be sent again, as the same task.
    ids = {line["task_id"] for one in (first, second) for line in one.events("beat-sent")}
    assert len(sent) - len(set(sent)) <= 1 and len(ids) == len(set(sent))
    # Not one due time is left out.
    times = sorted({due for name, due in sent if name == "often"})
    assert len(times) >= 5
    first_second = [int(due[17:19]) for due in times]
    assert all((b - a) % 60 == 1 for a, b in zip(first_second, first_second[1:])), times
