"""What a client can see before the end: STARTED, progress, states of the task's own."""
import pytest
from lab.wait import until


@pytest.mark.not_postgresql("Celery's backend for databases has no on_message")
def test_progress_arrives_at_the_client_step_by_step(transport, start_worker, queue):
    start_worker(transport, queue)
    seen = []
    result = transport.send("journey.progress", 5, 0.1, queue=queue)
    assert result.get(timeout=30, on_message=lambda meta: seen.append((meta["status"], meta["result"]))) == 5
    steps = [meta["done"] for state, meta in seen if state == "PROGRESS"]
    assert steps and steps == sorted(steps) and steps[-1] <= 5
    assert len(steps) >= 3, f"only {steps} of 5 steps were seen"


def test_started_is_stored_with_pid_and_host_when_the_task_is_tracked(redis_transport, start_worker, queue, note,
                                                                      gate):
    start_worker(redis_transport, queue)
    result = redis_transport.send("journey.tracked", str(note), "tracked", gate.path, queue=queue)
    until("state STARTED", lambda: result.state == "STARTED")
    assert set(result.info) == {"pid", "hostname"}
    gate.open()
    assert result.get(timeout=30) == "tracked"


def test_an_untracked_task_stays_pending_until_it_is_done(redis_transport, start_worker, queue, note, gate):
    start_worker(redis_transport, queue)
    result = redis_transport.send("journey.gate", str(note), "one", gate.path, queue=queue)
    until("the task to start", lambda: note.lines == ["one"])
    assert result.state == "PENDING"
    gate.open()
    assert result.get(timeout=30) == "one"
