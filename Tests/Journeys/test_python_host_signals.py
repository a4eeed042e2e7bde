"""Signals of Celery's main process: with taskhost they come in a process of the app's beside the tasks."""
import json
import os
import signal
import subprocess
import sys
import uuid

import celery
import pytest

from lab import python
from lab.wait import until


@pytest.fixture
def road(redis_transport):
    return redis_transport


def told(notes, name):
    return [values for what, values in python.noted(notes) if what == name]


def carry_out(road, queue, notes):
    """What Celery's main process has something to say of, one after the other. The ids."""
    until("worker_ready", lambda: told(notes, "worker_ready"), 30)
    until("a heartbeat", lambda: told(notes, "heartbeat_sent"), 30)
    send, ids = road.app.send_task, {}

    def one(what, name, *args, signal, **options):
        ids[what] = send(name, args, queue=queue, **options).id
        until(f"{signal} of {what}", lambda: ids[what] in json.dumps(told(notes, signal)), 30)

    one("ordinary", "witness.add", 1, 2, signal="task_prerun")
    revoked = str(uuid.uuid4())
    assert road.app.control.revoke(revoked, reply=True, timeout=20, limit=1)
    one("revoked", "witness.add", 3, 4, task_id=revoked, signal="task_revoked")
    one("unknown", "witness.nobody", signal="task_unknown")
    one("slow", "witness.sleep", 60, signal="task_failure")
    one("left", "witness.leave", signal="task_failure")
    return ids


def without_ids(entries, ids):
    names = {value: name for name, value in ids.items()}

    def change(value):
        if isinstance(value, list):
            return [change(one) for one in value]
        if isinstance(value, dict):
            return {name: change(one) for name, one in value.items()}
        return names.get(value, value)

    return [change(one) for one in entries]


def facts(notes, ids):
    """What both have to say alike: of each signal, in its order, all that does not depend on the moment."""
    left_out = {"einfo", "traceback", "options", "conf", "instance"}
    found = {}
    for name, values in without_ids(python.noted(notes), ids):
        if name == "heartbeat_sent":
            values, found[name] = {}, []
        if name == "celeryd_after_setup" or name == "celeryd_init":
            values = {}
        values = {key: value for key, value in values.items() if key not in left_out}
        # Celery tells twice of a task whose time was over.
        if name != "task_failure" or values not in found.get(name, []):
            found.setdefault(name, []).append(values)
    return found


def test_an_app_hears_of_its_worker_what_it_hears_of_celerys(road, queues, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    queue = queues.new()
    celery = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "witness", "worker", "-Q", queue, "-n", "witness@%h",
         "--without-mingle", "--without-gossip"], cwd=python.APPS,
        env={**os.environ, **python.noting(road, queue, theirs), "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        expected = carry_out(road, queue, theirs)
    finally:
        celery.send_signal(signal.SIGTERM)
        celery.wait(30)

    queue = queues.new()
    worker = python.AppWorker(tmp_path / "worker", "witness", options=["-Q", queue, "-n", "witness@%h"],
                              environment=python.noting(road, queue, ours))
    try:
        found = carry_out(road, queue, ours)
        worker.stop()
    finally:
        worker.close()
    assert facts(ours, found) == facts(theirs, expected)
    # Of one task the order is Celery's; and what a receiver left in the process the next one finds there.
    names = [name for name, _ in python.noted(ours)]
    assert names.index("task_received") < names.index("task_prerun")
    assert names[:4] == ["celeryd_init", "worker_init", "celeryd_after_setup", "worker_ready"]
    assert names[-2:] == ["worker_shutting_down", "worker_shutdown"]
    assert told(ours, "worker_shutdown")[0]["state"]
    assert "ValueError: a receiver that fails" in json.dumps(worker.log())


def test_a_signal_that_is_not_sent_is_named_at_the_start_and_by_doctor(road, queue, tmp_path, taskhost):
    own = python.noting(road, queue, tmp_path / "notes")
    worker = python.AppWorker(tmp_path / "worker", "witness", options=["-Q", queue], environment=own)
    [warning] = worker.events("signals_not_sent")
    worker.close()
    assert "beat_init (witness.never)" in warning["message"]
    said = taskhost("-A", "witness", "--workdir", python.APPS, "doctor",
                    environment={"VIRTUAL_ENV": sys.prefix, **own}).out
    assert "app's signal beat_init" in said and "witness.never waits for it" in said


def test_what_ends_without_python_has_its_result_in_a_backend_of_pythons_own(road, queue, tmp_path):
    """By its hard time limit, a crash, or a revocation."""
    own = {**python.noting(road, queue, tmp_path / "notes"), "APP_BACKEND": f"file://{tmp_path / 'results'}"}
    (tmp_path / "results").mkdir()
    worker = python.AppWorker(tmp_path / "worker", "witness", options=["-Q", queue], environment=own)
    client = celery.Celery("client", broker=road.broker, backend=own["APP_BACKEND"])
    try:
        revoked = str(uuid.uuid4())
        assert client.control.revoke(revoked, reply=True, timeout=20, limit=1)
        sent = [client.send_task("witness.sleep", [60], queue=queue), client.send_task("witness.die", queue=queue),
                client.send_task("witness.add", [1, 2], task_id=revoked, queue=queue)]
        states = [until("a result", lambda: one.ready() and one.state, 30) for one in sent]
        assert states == ["FAILURE", "FAILURE", "REVOKED"]
        kinds = [type(one.result).__name__ for one in sent]
        assert kinds == ["TimeLimitExceeded", "WorkerLostError", "TaskRevokedError"]
    finally:
        client.close()
        worker.close()


def test_a_task_that_an_app_has_not_is_refused_with_the_name_that_was_meant(road, queue, tmp_path):
    worker = python.AppWorker(tmp_path / "worker", "witness", options=["-Q", queue],
                              environment=python.noting(road, queue, tmp_path / "notes"))
    try:
        result = road.app.send_task("witness.slep", queue=queue)
        assert type(result.get(timeout=20, propagate=False)).__name__ == "NotRegistered"
        assert worker.said("Received unregistered task of type 'witness.slep'", "Did you mean witness.sleep?",
                           "`taskhost bundles -A witness`")
    finally:
        worker.close()


def test_a_host_ends_after_its_receivers_also_when_they_have_closed_its_socket(road, queue, tmp_path):
    left = tmp_path / "left"
    worker = python.AppWorker(tmp_path / "worker", "witness", options=["-Q", queue],
                              environment={**python.noting(road, queue, tmp_path / "notes"), "APP_LEFT": str(left)})
    try:
        until("worker_ready", lambda: told(tmp_path / "notes", "worker_ready"), 30)
        worker.stop()
        assert left.exists()
    finally:
        worker.close()
