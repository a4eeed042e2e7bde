"""What a service manager hears: the worker's notification socket is read as systemd reads it."""
import signal

import pytest
from lab.wait import until


def heard(worker, *starts):
    """The lines so far that begin with one of these."""
    return [line for line in worker.take_notices() if line.startswith(starts)]


@pytest.mark.not_postgresql("it names the queues, and there is one more")
def test_ready_is_told_once_the_worker_hears_remote_control(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue, wait=False, options=["-n", f"{queue}@test"])
    worker.wait_for("READY=1", lambda: "READY=1" in worker.take_notices())
    # Asked once, and given no time to come to it.
    answer = redis_transport.app.control.ping(destination=[f"{queue}@test"], timeout=15, limit=1)
    assert answer == [{f"{queue}@test": {"ok": "pong"}}]
    assert heard(worker, "READY", "STATUS")[-2:] == ["READY=1", f"STATUS=serving {queue}: 0 running, 0 held"]


@pytest.mark.not_postgresql("only RabbitMQ's queue of remote control has one owner")
def test_a_worker_whose_name_is_in_use_says_so_and_is_ready_all_the_same(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue, options=["-n", "twin@test"])
    second = start_worker(redis_transport, queue, options=["-n", "twin@test"])
    second.wait_for_log("remote control does not reach this worker")
    assert "READY=1" in second.take_notices()


def test_signs_of_life_come_as_long_as_the_worker_lives(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue, environment={"WATCHDOG_USEC": "100000"})
    before = len(heard(worker, "WATCHDOG=1"))
    until("five signs", lambda: len(heard(worker, "WATCHDOG=1")) >= before + 5)
    quiet = start_worker(redis_transport, queue, environment={"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    assert heard(quiet, "WATCHDOG") == []


def test_a_reload_is_told_from_its_beginning_to_its_end(redis_transport, start_worker, queue, softly):
    worker = start_worker(redis_transport, queue)
    worker.take_notices()
    worker.notified.clear()
    worker.install(softly)
    worker.send(signal.SIGHUP)
    worker.wait_for("READY=1 again", lambda: "READY=1" in worker.take_notices())
    told = heard(worker, "RELOADING", "MONOTONIC", "READY")
    assert told[0] == "RELOADING=1" and told[1].startswith("MONOTONIC_USEC=") and told[2] == "READY=1"


def test_a_long_end_asks_for_more_time(redis_transport, start_worker, queue, note, gate):
    worker = start_worker(redis_transport, queue)
    redis_transport.send("journey.gate", str(note), "one", gate.path, queue=queue)
    until("it to run", lambda: note.lines == ["one"])
    worker.send(signal.SIGTERM)
    worker.wait_for("to be told", lambda: "STOPPING=1" in worker.take_notices())
    assert heard(worker, "STATUS")[-1] == "STATUS=stopping: 1 running, 1 held"
    # Every five seconds anew, as long as it runs.
    worker.wait_for("a second extension", lambda: len(heard(worker, "EXTEND_TIMEOUT_USEC=20000000")) >= 2)
    gate.open()
    assert worker.wait() == 0
