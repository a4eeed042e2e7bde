"""Earliest starts and latest starts."""
import datetime
import time

import celery.exceptions
import pytest
from lab.wait import until


def test_a_countdown_holds_a_task_back_and_others_overtake_it(transport, start_worker, queue, note):
    start_worker(transport, queue, slots=1)
    sent_at = time.time()
    late = transport.send("journey.mark", str(note), "late", queue=queue, countdown=1.5)
    transport.send("journey.mark", str(note), "soon", queue=queue).get(timeout=30)
    assert late.get(timeout=30) == "late"
    assert time.time() - sent_at >= 1.5
    assert note.lines == ["soon", "late"]


def test_an_eta_in_any_time_zone_is_honoured(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue, slots=1)
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    due = datetime.datetime.now(zone) + datetime.timedelta(seconds=1.2)
    redis_transport.send("journey.mark", str(note), "due", queue=queue, eta=due).get(timeout=30)
    assert datetime.datetime.now(zone) >= due


def test_an_eta_of_long_ago_runs_at_once(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    assert redis_transport.send("tasks.add", 1, 2, queue=queue, eta=past).get(timeout=30) == 3.0


def test_a_far_eta_is_not_parked_unacknowledged(redis_transport, start_worker, queues, queue):
    worker = start_worker(redis_transport, queue)
    redis_transport.send("tasks.add", 1, 2, queue=queue, countdown=3600)
    redis_transport.send("tasks.add", 1, 2, queue=queue).get(timeout=30)
    worker.stop()
    queues.wait_until_empty(queue)  # not given back: it waits in the broker's delay ladder


def test_an_expired_message_is_revoked_and_not_run(redis_transport, start_worker, queues, queue, note):
    # The broker drops expired messages itself; the header alone has to work too.
    past = "2020-01-01T00:00:00+00:00"
    message = redis_transport.app.amqp.as_task_v2("0-1-2", "journey.mark", (str(note), "too late"))
    queues.publish(queue, message.body, {**message.headers, "id": "expired-" + queue, "expires": past},
                   correlation_id="expired-" + queue)
    start_worker(redis_transport, queue)
    with pytest.raises(celery.exceptions.TaskRevokedError) as raised:
        redis_transport.app.AsyncResult("expired-" + queue).get(timeout=30)
    assert str(raised.value) == "expired"
    queues.wait_until_empty(queue)
    assert note.lines == []


def test_a_task_that_expires_while_it_waits_for_a_slot_is_revoked(redis_transport, start_worker, queue, note, gate):
    start_worker(redis_transport, queue, slots=1)
    redis_transport.send("journey.gate", str(note), "first", gate.path, queue=queue)
    until("the first task to start", lambda: note.lines == ["first"])
    sent_at = time.time()
    late = redis_transport.send("journey.mark", str(note), "too late", queue=queue, expires=1)
    until("the message to be past its time", lambda: time.time() > sent_at + 1.1, every=0.05)
    gate.open()
    redis_transport.send("journey.mark", str(note), "after", queue=queue).get(timeout=30)
    assert note.lines == ["first", "first done", "after"]
    # Dropped by the broker (no result) or refused by the host (REVOKED), but never run.
    assert late.state in ("PENDING", "REVOKED")
