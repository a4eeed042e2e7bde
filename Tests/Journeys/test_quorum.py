"""Quorum queues: everything a classic queue does, with their own prefetch and their own counts."""
import uuid

import billiard.exceptions
import pytest
from lab import clients
from lab.wait import until


@pytest.fixture
def quorum(queues, redis_transport):
    redis_transport.app.conf.task_create_missing_queue_type = "quorum"  # or the client's declaration is refused
    return queues.new("quorum", queue_type="quorum")


def test_tasks_run_and_the_worker_takes_up_speed(redis_transport, start_worker, quorum, queues, note):
    start_worker(redis_transport, quorum, slots=2)
    sent = [redis_transport.send("journey.mark", str(note), str(number), queue=quorum) for number in range(100)]
    assert [one.get(timeout=30) for one in sent] == [str(number) for number in range(100)]
    queues.wait_until_empty(quorum)


def test_retries_through_the_delay_ladder_come_back_each_time(redis_transport, start_worker, quorum, queues, note):
    # Each delay leaves a record of a death in the headers; taken along, RabbitMQ would drop the message as a cycle.
    start_worker(redis_transport, quorum)
    result = redis_transport.send("journey.retry_always", str(note), 1.1, 3, "enough", queue=quorum)
    with pytest.raises(Exception, match="enough"):
        result.get(timeout=30)
    assert note.lines == ["try 0", "try 1", "try 2", "try 3"]
    queues.wait_until_empty(quorum)


def test_a_far_eta_waits_in_the_ladder_and_not_unacknowledged(redis_transport, start_worker, quorum, queues):
    worker = start_worker(redis_transport, quorum)
    redis_transport.send("tasks.add", 1, 2, queue=quorum, countdown=3600)
    redis_transport.send("tasks.add", 1, 2, queue=quorum).get(timeout=30)
    worker.stop()
    queues.wait_until_empty(quorum)


def test_a_crash_ends_in_a_dead_letter_without_the_brokers_counts(redis_transport, start_worker, quorum, queues):
    start_worker(redis_transport, quorum)
    poison = redis_transport.send("journey.speak_and_crash", "last words", queue=quorum)
    with pytest.raises(billiard.exceptions.WorkerLostError):
        poison.get(timeout=30)
    until("the dead letter", lambda: queues.ready(f"{quorum}.dead") == 1)
    letter = queues.get(f"{quorum}.dead")
    assert letter.headers["id"] == poison.id
    assert not [key for key in letter.headers if key.startswith("x-")]


def test_what_a_killed_worker_held_is_delivered_again(redis_transport, start_worker, quorum, queues, note, gate):
    worker = start_worker(redis_transport, quorum, slots=1)
    held = redis_transport.send("journey.gate", str(note), "held", gate.path, queue=quorum)
    until("it to run", lambda: note.lines == ["held"])
    worker.kill()
    until("it to come back", lambda: queues.ready(quorum) == 1)
    gate.open()
    worker.start()
    assert held.get(timeout=20) == "held"
    queues.wait_until_empty(quorum)


def test_clients_that_let_the_broker_delay_need_only_a_worker(redis_transport, start_worker, queues, tmp_path):
    # As Celery's documentation sets up quorum queues. What such a client sends with a countdown goes to the delay ladder,
    # which a worker is to have declared; without it the client gets NotFound.
    name = f"quorum-{uuid.uuid4().hex[:8]}"
    queues.made.append(name)
    configuration = tmp_path / "quorum.toml"
    configuration.write_text(f'[queues.{name}]\ntype = "quorum"\nexchange_type = "topic"\nrouting_key = "work.{name}"\n')
    start_worker(redis_transport, name, options=["--config", str(configuration)])
    app = clients.app(redis_transport.broker, redis_transport.backend, task_default_queue=name,
                      task_default_queue_type="quorum", task_default_exchange_type="topic",
                      task_default_routing_key=f"work.{name}")
    delayed = [app.send_task("tasks.add", (1, 2), countdown=2), app.send_task("journey.retry_until", (2, 1.0), countdown=1)]
    assert app.send_task("tasks.add", (3, 4)).get(timeout=15) == 7
    assert [one.get(timeout=20) for one in delayed] == [3, 2]
    queues.wait_until_empty(name)
    app.close()
