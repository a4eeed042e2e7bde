"""The switches of acknowledgement that bear Celery's names: over RabbitMQ, and in a file."""
import uuid

import pytest
from conftest import Transport, example
from lab.wait import until


class Road:
    """A broker and a store; its client is the command line, the same for all of them."""

    def __init__(self, broker, backend, taskhost):
        self.broker, self.backend, self.taskhost = broker, backend, taskhost

    def call(self, name, *args, queue, task_id):
        self.taskhost("call", "--queue", queue, "--id", task_id, "-b", self.broker, "--result-backend", self.backend,
                      "--json", name, *args).expect(0)

    def wait_for_state(self, task_id, *states, seconds=30.0):
        """The result as the store has it, once it is in one of these states."""
        def look():
            seen = self.taskhost("result", task_id, "-b", self.broker, "--result-backend", self.backend, "--json")
            return seen.json if seen.out and seen.json["state"] in states else None
        return until(f"{task_id} to be {' or '.join(states)}", look, seconds)

    def dead(self, queue):
        return self.taskhost("dead", "ls", queue, "-b", self.broker, "--json").expect(0).json_lines


@pytest.fixture(params=["rabbitmq", "sqlite"])
def road(request, tmp_path, taskhost):
    if request.param == "sqlite":
        url = f"sqlite://{tmp_path}/taskhost.db"
        yield Road(url, url, taskhost)
    else:
        one = Transport("redis")
        yield Road(one.broker, one.backend, taskhost)
        one.app.close()


@pytest.fixture
def task_id():
    return str(uuid.uuid4())


@pytest.fixture
def start(road, start_worker, tmp_path):
    """start(queue, "settings as TOML"): a worker on that road."""
    def started(queue, settings="", **how):
        path = tmp_path / f"{uuid.uuid4().hex[:6]}.toml"
        path.write_text(settings)
        return start_worker(road, queue, slots=1, options=["--config", str(path)], **how)
    return started


def test_without_acks_on_failure_a_failed_message_goes_to_the_dead_letters(road, start, queue, task_id):
    start(queue, "[worker]\nacks_on_failure = false\n")
    road.call("tasks.fail", queue=queue, task_id=task_id)
    assert road.wait_for_state(task_id, "FAILURE")["result"]["exc_type"] == "ValueError"
    [letter] = until("the dead letter", lambda: road.dead(queue))
    assert (letter["id"], letter["verdict"]) == (task_id, "failed")


def test_the_bundle_says_so_of_a_task_and_the_operator_has_the_last_word(road, start, queue, task_id):
    worker = start(queue)
    road.call("journey.spoil", queue=queue, task_id=task_id)
    until("the dead letter", lambda: road.dead(queue))
    worker.stop()
    start(queue, '[tasks."journey.spoil"]\nacks_on_failure = true\n')
    other = str(uuid.uuid4())
    road.call("journey.spoil", queue=queue, task_id=other)
    road.wait_for_state(other, "FAILURE")
    # What comes after it is done, so it is settled.
    last = str(uuid.uuid4())
    road.call("tasks.add", 1, 1, queue=queue, task_id=last)
    road.wait_for_state(last, "SUCCESS")
    assert [letter["id"] for letter in road.dead(queue)] == [task_id]


def test_without_acks_on_timeout_a_task_killed_at_its_limit_runs_again(road, start, queue, note, gate, task_id):
    start(queue, '[tasks."journey.gate"]\ntime_limit = 1.5\nacks_on_timeout = false\n')
    road.call("journey.gate", note, "run", gate.path, queue=queue, task_id=task_id)
    until("a second start", lambda: note.lines == ["run", "run"])
    assert road.wait_for_state(task_id, "FAILURE", "SUCCESS")["result"]["exc_type"] == "TimeLimitExceeded"
    gate.open()
    assert road.wait_for_state(task_id, "SUCCESS")["result"] == "run"
    assert road.dead(queue) == []


def test_without_reject_on_worker_lost_a_crash_is_the_failure_at_once(road, start, queue, task_id):
    start(queue, "[worker]\nreject_on_worker_lost = false\n", plugins=[example("saboteur")])
    road.call("saboteur.segv", queue=queue, task_id=task_id)
    assert road.wait_for_state(task_id, "FAILURE")["result"]["exc_type"] == "WorkerLostError"
    [letter] = until("the dead letter", lambda: road.dead(queue))
    assert letter["starts"] == 1


@pytest.mark.parametrize("switch, runs", [("true", 1), ("false", 2)])
def test_a_message_delivered_again_that_has_succeeded_is_not_run_again(road, start, queue, note, gate, task_id, switch,
                                                                       runs):
    first = start(queue)
    road.call("journey.mark", note, "once", queue=queue, task_id=task_id)
    road.wait_for_state(task_id, "SUCCESS")
    # The same message once more, held by a worker that is killed before it can start it.
    road.call("journey.gate", note, "busy", gate.path, queue=queue, task_id=str(uuid.uuid4()))
    until("the only slot to be taken", lambda: "busy" in note.lines)
    road.call("journey.mark", note, "once", queue=queue, task_id=task_id)
    until("the message to be held", lambda: len([line for line in first.log() if f"[{task_id}] received" in
                                                  line.get("message", "")]) == 2)
    first.kill()
    gate.open()
    second = start(queue, f"[worker]\ndeduplicate_successful_tasks = {switch}\n")
    if switch == "true":
        second.wait_for_log(task_id, "is done; acknowledged", seconds=40)
    else:
        second.wait_for_log(task_id, "succeeded", seconds=40)
    last = str(uuid.uuid4())
    road.call("tasks.add", 1, 1, queue=queue, task_id=last)
    road.wait_for_state(last, "SUCCESS")
    assert note.lines.count("once") == runs
