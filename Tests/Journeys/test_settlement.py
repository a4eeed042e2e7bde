"""When a message is acknowledged, rejected or given back."""
import celery.exceptions
import pytest
from lab.wait import until


def test_reject_with_requeue_brings_the_message_back(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue, slots=1)
    assert redis_transport.send("journey.reject", str(note), True, queue=queue).get(timeout=30) is None
    assert note.lines == ["run", "run"]


def test_reject_without_requeue_is_a_failure_and_the_message_is_gone(redis_transport, start_worker, queues, queue,
                                                                    note):
    start_worker(redis_transport, queue, slots=1)
    with pytest.raises(celery.exceptions.Reject):
        redis_transport.send("journey.reject", str(note), False, queue=queue).get(timeout=30)
    queues.wait_until_empty(queue)
    assert note.lines == ["run"]


def test_an_ignored_task_leaves_no_state_and_is_acknowledged(redis_transport, start_worker, queues, queue):
    worker = start_worker(redis_transport, queue, slots=1)
    ignored = redis_transport.send("journey.ignore", queue=queue)
    redis_transport.send("tasks.add", 1, 1, queue=queue).get(timeout=30)
    assert ignored.state == "PENDING"
    worker.stop()
    queues.wait_until_empty(queue)


def test_a_late_ack_survives_the_hosts_death_and_an_early_one_does_not(redis_transport, start_worker, queues, note,
                                                                      gate):
    late, early = queues.new("late"), queues.new("early")
    worker = start_worker(redis_transport, f"{late},{early}", slots=2)
    redis_transport.send("journey.gate", str(note), "late", gate.path, queue=late)
    redis_transport.send("journey.gate_early", str(note), "early", gate.path, queue=early)
    until("both to run", lambda: sorted(note.lines) == ["early", "late"])
    worker.kill()
    until("the late one to come back", lambda: queues.ready(late) == 1)
    assert queues.ready(early) == 0
    gate.open()
    worker.start()
    until("the late one to be done", lambda: "late done" in note.lines)


def test_two_workers_share_one_queue_and_run_everything_once(redis_transport, start_worker, queue, note):
    for _ in range(2):
        start_worker(redis_transport, queue)
    sent = [redis_transport.send("journey.mark", str(note), str(number), queue=queue) for number in range(200)]
    for one in sent:
        one.get(timeout=30)
    assert sorted(note.lines, key=int) == [str(number) for number in range(200)]
