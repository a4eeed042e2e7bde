"""Signals, handlers of task classes and logs of a Python app: the same as under Celery's own prefork worker."""
import os
import re
import subprocess
import sys

import pytest

from lab import clients, python
from lab.wait import until

ENDS = ["return", "raise", "retry", "bare retry", "ignore", "reject", "no json", "send"]


@pytest.fixture
def road(redis_transport):
    return redis_transport


def carry_out(road, queue, notes):
    """Sends every kind of task, one after the other, and waits for the last word on each."""
    sent = []

    def send(name, *args, **kwargs):
        before = len([one for one in python.noted(notes) if one[0] == "task_postrun"])
        sent.append(road.app.send_task(f"recorder.{name}", args, kwargs, queue=queue))
        return before

    for how in ENDS:
        posts = send("ends", how, mark=1)
        runs = {"retry": 2, "bare retry": 2, "send": 2}.get(how, 1)
        until(f"{how} to end", lambda: count(notes, "task_postrun") == posts + runs, 30)
    for name, args in (("machinery", ()), ("called", (5,))):
        posts = send(name, *args)
        until(f"{name} to end", lambda: count(notes, "task_postrun") > posts, 30)
    return sent


def count(notes, what):
    return len([one for one in python.noted(notes) if one[0] == what])


def test_an_app_is_told_the_same_in_the_same_order_as_by_celerys_prefork(start_worker, road, queues, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    queue = queues.new()
    own = python.noting(road, queue, theirs)
    celery = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "recorder", "worker", "-c", "1", "-Q", queue, "-n", "celery@%h",
         "--without-mingle", "--without-gossip", "--without-heartbeat"],
        cwd=python.APPS, env={**os.environ, **own, "APP_PREFORK": "1", "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        expected = carry_out(road, queue, theirs)
    finally:
        celery.terminate()
        celery.wait(30)
    queue = queues.new()
    own = python.noting(road, queue, ours)
    worker = start_worker(
        road, queue, slots=1, plugins=[python.bundle()],
        options=python.options(tmp_path, 'isolation = "keep:1000"\n', names=own),
        environment={**python.environment("recorder"), **own})
    found = carry_out(road, queue, ours)
    worker.stop()
    until("the last word of the child", lambda: count(ours, "worker_process_shutdown"), 20)
    assert python.noted(ours) == python.noted(theirs)
    for one, other in zip(expected, found):
        assert state(other) == state(one)


def state(result):
    meta = result.backend.get_task_meta(result.id)
    return meta["status"], re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", repr(meta["result"]))


def test_what_a_task_logs_and_prints_reaches_the_hosts_log_with_level_and_id(start_worker, road, queue, tmp_path):
    own = python.noting(road, queue, tmp_path / "notes")
    worker = start_worker(road, queue, slots=1, plugins=[python.bundle()], options=python.options(tmp_path, names=own),
                          environment={**python.environment("recorder"), **own})
    result = road.app.send_task("recorder.writes", queue=queue)
    result.get(timeout=20)
    said = [(one["level"], one["message"]) for one in worker.log()
            if one.get("task_id") == result.id and not one["message"].startswith("Task recorder.")]
    assert said[:3] == [("info", "printed"), ("warning", "of the task logger [user=7]"),
                        ("error", "of another logger: x")]
    level, text = said[3]
    assert level == "error" and text.startswith("with a traceback\nTraceback (most recent call last):\n")
    assert text.endswith("ZeroDivisionError: division by zero")
