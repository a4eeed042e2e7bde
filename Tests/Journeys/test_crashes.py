"""Tasks that die, and the dead letters they become."""
import billiard.exceptions
import pytest
from conftest import example
from lab.wait import until


def crash(transport, start_worker, queue, journey, text="last words"):
    worker = start_worker(transport, queue, slots=1, plugins=[example("arithmetic"), journey])
    result = transport.send("journey.speak_and_crash", text, queue=queue)
    with pytest.raises(billiard.exceptions.WorkerLostError) as raised:
        result.get(timeout=20)
    return worker, result, str(raised.value)


def test_a_segfault_is_a_worker_lost_error_with_the_signals_name_and_a_stack(redis_transport, start_worker, queue,
                                                                             journey):
    _, result, message = crash(redis_transport, start_worker, queue, journey)
    assert "signal 11 (SIGSEGV)" in message
    assert "raise_at" in result.traceback
    # The frames below the task are the runner's own, and nobody's business.
    assert "taskhost-runner" not in result.traceback and "libc.so" not in result.traceback.splitlines()[-1]
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=30) == 10.0


def test_a_crash_becomes_a_dead_letter_that_can_be_shown_retried_and_dropped(redis_transport, start_worker, queue,
                                                                            queues, journey, taskhost):
    _, result, _ = crash(redis_transport, start_worker, queue, journey, "the last words")
    where = ("-b", redis_transport.broker)
    until("the dead letter", lambda: queues.ready(f"{queue}.dead") == 1)

    [listed] = taskhost("dead", "ls", queue, *where, "--json").expect(0).json_lines
    assert listed["id"] == result.id
    shown = taskhost("dead", "show", queue, result.id, *where).expect(0).out
    assert "SIGSEGV" in shown and "the last words" in shown and "journey.speak_and_crash" in shown

    taskhost("dead", "retry", queue, result.id, *where).expect(0)
    until("it to be dead again", lambda: queues.ready(f"{queue}.dead") == 1)
    taskhost("dead", "drop", queue, result.id, *where, "--force").expect(0)
    assert queues.ready(f"{queue}.dead") == 0
    assert taskhost("dead", "ls", queue, *where, "--json").expect(0).json_lines == []


def test_three_crashes_bury_a_message_and_its_neighbours_are_not_charged(redis_transport, start_worker, queue, queues):
    worker = start_worker(redis_transport, queue, slots=2, plugins=[example("arithmetic"), example("saboteur")])
    poison = redis_transport.send("saboteur.segv", queue=queue)
    good = [redis_transport.send("tasks.add", number, 0, queue=queue) for number in range(50)]
    assert [one.get(timeout=30) for one in good] == [float(number) for number in range(50)]
    with pytest.raises(billiard.exceptions.WorkerLostError):
        poison.get(timeout=30)
    until("the dead letter", lambda: queues.ready(f"{queue}.dead") == 1)
    letter = queues.get(f"{queue}.dead")
    assert letter.headers["id"] == poison.id
    assert letter.headers["taskhost-dead"]["starts"] == 3
    assert worker.running


@pytest.mark.parametrize("task, args, words", [
    ("saboteur.abort", (), "SIGABRT"),
    ("saboteur.exit", (3,), "exit"),
    ("saboteur.overflow", (), "SIGSEGV"),
])
def test_other_ways_to_die_have_names_too(redis_transport, start_worker, queue, task, args, words):
    start_worker(redis_transport, queue, plugins=[example("saboteur")])
    with pytest.raises(billiard.exceptions.WorkerLostError) as raised:
        redis_transport.app.send_task(task, args, queue=queue).get(timeout=30)
    assert words.lower() in str(raised.value).lower()


def test_what_a_task_prints_goes_to_the_log_with_its_id(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue)
    result = redis_transport.send("journey.speak", "said aloud", "said to stderr", queue=queue)
    result.get(timeout=30)
    for words in ("said aloud", "said to stderr"):
        assert result.id in worker.wait_for_log(words, result.id)


def test_an_output_flood_does_not_stall_the_others(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue, slots=2, plugins=[example("arithmetic"), example("saboteur")])
    flood = redis_transport.send("saboteur.flood", 20_000_000, queue=queue)
    assert [redis_transport.send("tasks.add", 1, n, queue=queue).get(timeout=30) for n in range(20)]
    flood.get(timeout=30)


def test_a_task_sees_neither_secrets_nor_the_hosts_descriptors(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue, environment={"TASKHOST_SECRET": "hunter2", "CELERY_BROKER_URL": "amqp://x:hunter3@y/"})
    seen = redis_transport.send("journey.surroundings", queue=queue).get(timeout=30)
    assert "guest" not in seen and "hunter" not in seen and "amqp" not in seen and "NOTIFY_SOCKET" not in seen
    descriptors = [int(line.split()[1]) for line in seen.splitlines() if line.startswith("fd ")]
    assert descriptors == [0, 1, 2, 3], seen
