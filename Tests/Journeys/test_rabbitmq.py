"""What is RabbitMQ's alone: queues of all kinds of declarations, its limits and alarms, rights, results over rpc://."""
import subprocess
import uuid

import kombu
import pytest
from lab import clients, settings
from lab.wait import until


def ctl(*words):
    return subprocess.run([settings.server("RABBITMQCTL"), "--quiet", *words], check=True, capture_output=True,
                          text=True, timeout=180).stdout


def test_call_waits_for_a_result_over_rpc_with_one_consumer(start_worker, queue, taskhost, journey):
    # From 4.0 on the reply queue was consumed, left, and thereby deleted, five times a second.
    class Rpc:
        broker, backend = settings.server("AMQP_URL"), "rpc://"
    start_worker(Rpc, queue)
    done = taskhost("call", "-b", Rpc.broker, "--result-backend", "rpc://", "-Q", queue, "--wait=20", "tasks.add",
                    "1", "2").expect(0)
    assert done.out.strip() == "3.0" and "consumer" not in done.err, done


@pytest.mark.parametrize("extra", [{"x-delivery-limit": 50}, {"x-dead-letter-exchange": "amq.direct"},
                                   {"x-message-ttl": 600_000}], ids=lambda extra: next(iter(extra)))
def test_a_countdown_on_a_quorum_queue_with_more_arguments_arrives(redis_transport, start_worker, queues, extra):
    # As Celery's clients declare such queues; what they delay they send to the ladder, which the worker must connect.
    name = f"limq-{uuid.uuid4().hex[:8]}"
    arguments = {"x-queue-type": "quorum", **extra}
    app = clients.app(redis_transport.broker, redis_transport.backend, task_default_queue=name, task_queues=[
        kombu.Queue(name, kombu.Exchange(name, "topic"), routing_key=name, queue_arguments=arguments)])
    queues.made.append(name)
    now = app.send_task("tasks.add", (3, 4))
    start_worker(redis_transport, name)
    assert now.get(timeout=30) == 7
    assert app.send_task("tasks.add", (1, 2), countdown=2).get(timeout=30) == 3
    queues.wait_until_empty(name)
    app.close()


def test_a_queue_declared_alone_is_bound_to_the_exchange_that_clients_publish_to(redis_transport, start_worker, queues):
    name = f"alone-{uuid.uuid4().hex[:8]}"
    queues.channel.queue_declare(name, durable=True, auto_delete=False)
    queues.made.append(name)
    start_worker(redis_transport, name)
    task = str(uuid.uuid4())
    message = queues.channel.prepare_message(
        f'{{"id": "{task}", "task": "tasks.add", "args": [4, 6], "kwargs": {{}}}}', None, "application/json", "utf-8", {},
        {"delivery_mode": 2})
    queues.channel.basic_publish(message, exchange=name, routing_key=name, mandatory=True)
    assert redis_transport.app.AsyncResult(task).get(timeout=30) == 10


def test_after_a_burst_no_worker_keeps_what_another_could_run(redis_transport, start_worker, queues, note):
    # A consumer's prefetch grew with the burst and stayed so on quorum queues, and on every queue from 4.0 on.
    redis_transport.app.conf.task_create_missing_queue_type = "quorum"
    queue = queues.new("burst", queue_type="quorum")
    for number in range(600):
        queues.publish(queue, {"id": f"{uuid.uuid4()}", "task": "tasks.add", "args": [number, 1], "kwargs": {},
                               "ignore_result": True})
    first = start_worker(redis_transport, queue, slots=1)
    queues.wait_until_empty(queue, 60)
    second = start_worker(redis_transport, queue, slots=1)
    for number in range(60):
        queues.publish(queue, {"id": f"{uuid.uuid4()}", "task": "journey.mark",
                               "args": [str(note), str(number), 0.25], "kwargs": {}})
    until("all of them to run", lambda: len(note.lines) == 60, 60)
    ran = [sum("journey.mark[" in line.get("message", "") and " succeeded" in line.get("message", "")
               for line in worker.log()) for worker in (first, second)]
    assert min(ran) >= 20, ran


def test_a_quorum_queue_drops_nothing_however_often_its_worker_is_killed(redis_transport, start_worker, queues, note,
                                                                         gate):
    # The broker counts what was only waiting in a killed worker's hands; beyond the limit it drops it without a word.
    queue = queues.new("killed", queue_type="quorum", delivery_limit=6)
    ids = []
    for name, words in [("journey.gate", [str(note), "long", gate.path])] + [
            ("journey.mark", [str(note), f"m{number}", 0.0]) for number in range(6)]:
        ids.append(str(uuid.uuid4()))
        queues.publish(queue, {"id": ids[-1], "task": name, "args": words, "kwargs": {}})
    long = redis_transport.app.AsyncResult(ids[0])
    worker = start_worker(redis_transport, queue, slots=1, options=["--prefetch-multiplier", "10"])
    for _ in range(9):
        # Whoever holds that its worker dies of it may end it sooner, but visibly.
        worker.wait_for("the long task to run", lambda: worker.said("journey.gate", "started") or long.ready())
        worker.kill()
        worker.start()
    gate.open()
    for one in ids:
        redis_transport.app.AsyncResult(one).get(timeout=60, propagate=False)
    assert {f"m{number}" for number in range(6)} <= set(note.lines)
    queues.wait_until_empty(queue)


@pytest.fixture
def alarm():
    ctl("set_vm_memory_high_watermark", "0.00001")
    yield
    ctl("set_vm_memory_high_watermark", "absolute", "1GB")


def test_commands_name_the_alarm_of_a_broker_that_takes_nothing(taskhost, queue, alarm):
    broker = settings.server("AMQP_URL")
    status = taskhost("status", "-b", broker, "-t", "1").expect(69)
    assert "the broker takes no messages: low on memory" in status.err and "--local" in status.err, status.err
    call = taskhost("call", "-b", broker, "--result-backend", settings.server("REDIS_URL"), "-Q", queue, "--wait=3",
                    "tasks.add", "1", "2").expect(69)
    assert "low on memory" in call.err and "the task goes on" not in call.err, call.err


@pytest.fixture
def powerless():
    """The address of a user without any rights, and his name."""
    name = f"eve{uuid.uuid4().hex[:8]}"
    ctl("add_user", name, "secret")
    ctl("set_permissions", "-p", "/", name, "^$", "^$", "^$")
    yield settings.server("AMQP_URL").replace("guest:guest", f"{name}:secret"), name
    ctl("delete_user", name)


def test_who_may_not_ask_or_consume_is_told_at_once_by_name(taskhost, start_worker, powerless, queue):
    broker, name = powerless
    status = taskhost("status", "-b", broker, seconds=15).expect(69)
    assert status.err.count("ACCESS_REFUSED") == 1 and f"'{name}'" in status.err, status.err

    class Refused:
        backend = None
    Refused.broker = broker
    worker = start_worker(Refused, queue, wait=False)
    assert worker.wait(20) == 69 and worker.said("ACCESS_REFUSED", f"'{name}'"), worker.tail()


@pytest.fixture
def watcher():
    """The address of a user with the least rights that docs/rabbitmq.md names for who watches."""
    name = f"watcher{uuid.uuid4().hex[:8]}"
    ctl("add_user", name, "secret")
    ctl("set_permissions", "-p", "/", name, *[r"^.*celery\.pidbox$"] * 3)
    yield settings.server("AMQP_URL").replace("guest:guest", f"{name}:secret")
    ctl("delete_user", name)


def test_a_user_with_the_least_rights_watches(taskhost, redis_transport, start_worker, watcher, queue):
    start_worker(redis_transport, queue)
    status = taskhost("status", "-b", watcher).expect(0)
    assert queue in status.out and not status.err, status
