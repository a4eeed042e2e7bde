"""Tasks that are ended from outside, errbacks that are called, and steps that the host sends: as under Celery's prefork,
on RabbitMQ."""
import os
import subprocess
import sys

import pytest

from lab import python
from lab.wait import until


@pytest.fixture
def road(redis_transport):
    return redis_transport


def carry_out(road, queue, notes):
    """One after the other. What each ends as."""
    def until_noted(*what):
        until(f"{what}", lambda: any(one[:len(what)] == list(what) for one in python.noted(notes)), 30)

    def send(name, **options):
        return road.app.signature(f"outside.{name}", queue=queue, **options)

    def revoked(name, **how):
        result = send(name).delay()
        until_noted("waits", name)
        road.app.control.revoke(result.id, terminate=True, **how)
        return result

    ends = []
    for name, result in (("told", lambda: revoked("told")), ("asked", lambda: revoked("asked", signal="SIGUSR1")),
                         ("limited", lambda: send("limited").delay())):
        result = result()
        until_noted("task_postrun", f"outside.{name}")
        until("its end", result.ready, 20)
        ends.append((result.state, repr(result.result)))
    send("fail").on_error(send("call")).delay()
    until_noted("task_postrun", "outside.follow")
    (send("step") | send("step") | send("silent")).delay()
    until_noted("task_postrun", "outside.silent")
    return ends


def test_what_is_ended_from_outside_called_or_sent_by_the_host_sees_what_it_sees_under_celerys_prefork(
        road, queues, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    queue = queues.new()
    with open(tmp_path / "celery.log", "wb") as log:
        celery = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "outside", "worker", "-c", "2", "-Q", queue, "-n", f"{queue}@%h",
             "--without-mingle", "--without-gossip", "--without-heartbeat"], cwd=python.APPS, stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **python.noting(road, queue, theirs), "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        expected = carry_out(road, queue, theirs)
    finally:
        celery.terminate()
        celery.wait(30)
    queue = queues.new()
    worker = python.AppWorker(tmp_path / "worker", "outside", options=["-Q", queue, "-c", "2"],
                              environment=python.noting(road, queue, ours))
    try:
        assert carry_out(road, queue, ours) == expected
    finally:
        worker.close()
    # In any order: Celery sends the next step before the task that it follows has ended.
    assert sorted(map(str, python.noted(ours))) == sorted(map(str, python.noted(theirs)))


def test_what_a_worker_gives_back_at_its_end_lets_go_first(road, queue, tmp_path):
    notes = tmp_path / "notes"
    worker = python.AppWorker(tmp_path / "worker", "outside", options=["-Q", queue, "--grace", "0"],
                              environment=python.noting(road, queue, notes))
    try:
        road.app.send_task("outside.told", queue=queue)
        until("it waits", lambda: ["waits", "told"] in python.noted(notes), 20)
        worker.stop()
    finally:
        worker.close()
    assert ["lets go", "told"] in python.noted(notes)
