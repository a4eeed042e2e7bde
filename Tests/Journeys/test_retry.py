"""Retries asked for by the task."""
import celery.exceptions
import pytest
from lab.wait import until


def test_a_task_that_retries_three_times_and_then_succeeds(transport, start_worker, queue):
    start_worker(transport, queue)
    assert transport.send("journey.retry_until", 3, 0.1, queue=queue).get(timeout=20) == 3


def test_after_three_retries_the_client_gets_max_retries_exceeded(redis_transport, start_worker, queues, queue, note):
    start_worker(redis_transport, queue)
    result = redis_transport.send("journey.retry_always", str(note), 0.1, 3, queue=queue)
    with pytest.raises(celery.exceptions.MaxRetriesExceededError):
        result.get(timeout=20)
    assert note.lines == ["try 0", "try 1", "try 2", "try 3"]
    queues.wait_until_empty(queue)


def test_a_retry_with_a_reason_ends_in_that_reason(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue)
    result = redis_transport.send("journey.retry_always", str(note), 0.1, 1, "not today", queue=queue)
    with pytest.raises(Exception, match="not today"):
        result.get(timeout=20)
    assert note.lines == ["try 0", "try 1"]


@pytest.mark.not_postgresql("it looks into Redis")
def test_while_a_retry_waits_its_state_is_retry_with_a_null_date(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue)
    result = redis_transport.send("journey.retry_always", str(note), 3, 1, queue=queue)
    until("state RETRY", lambda: result.state == "RETRY")
    backend = redis_transport.app.backend
    meta = backend.decode_result(backend.get(backend.get_key_for_task(result.id)))
    assert meta["date_done"] is None
    with pytest.raises(celery.exceptions.MaxRetriesExceededError):
        result.get(timeout=20)


def test_a_retry_keeps_headers_priority_and_gains_a_parent(redis_transport, start_worker, queues, queue, note):
    worker = start_worker(redis_transport, queue, slots=1)
    result = redis_transport.send("journey.retry_always", str(note), 30, 3, queue=queue, priority=5,
                                  headers={"tenant": "blue"})
    until("state RETRY", lambda: result.state == "RETRY")
    worker.stop()
    message = until("the retry to be given back", lambda: queues.get(queue))
    assert message.headers["id"] == result.id
    assert message.headers["retries"] == 1
    assert message.headers["tenant"] == "blue"
    assert message.headers["parent_id"] == result.id
    assert message.properties["priority"] == 5
