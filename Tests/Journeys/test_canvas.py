"""Canvases of a stock client against taskhost: the tutorial's, the builtin tasks, and chords without a native join."""
import os

import celery
import pytest
from celery import canvas
from celery.result import result_from_tuple
from conftest import Transport
from lab import clients, settings
from lab.wait import until


@pytest.fixture
def tasks(road, queue):
    """tasks("tasks.add", 4, 6): a signature for the test's queue."""
    return lambda name, *args: road.app.signature(name, args, queue=queue)


def test_the_tutorials_chain_is_20(road, start_worker, queue, tasks):
    start_worker(road, queue)
    assert (tasks("tasks.add", 4, 6) | tasks("tasks.mul", 2))().get(timeout=20) == 20


def test_the_tutorials_group_is_3_7_11(road, start_worker, queue, tasks):
    start_worker(road, queue)
    sums = celery.group(tasks("tasks.add", first, first + 1) for first in (1, 3, 5))
    assert sums().get(timeout=20) == [3, 7, 11]


def test_the_tutorials_chord_is_21(road, start_worker, queue, tasks):
    start_worker(road, queue)
    header = [tasks("tasks.add", first, first + 1) for first in (1, 3, 5)]
    assert celery.chord(header)(tasks("tasks.sum")).get(timeout=20) == 21
    assert (celery.group(header) | tasks("tasks.sum") | tasks("tasks.mul", 2))().get(timeout=20) == 42


def test_names_of_files_that_are_no_unicode_travel_through_canvases(road, start_worker, queue, tasks):
    name = os.fsdecode(b"caf\xe9.txt")
    start_worker(road, queue)
    chain = tasks("journey.weigh", name) | tasks("journey.weigh", name).set(immutable=True)
    # As JSON text, quotes and escape included.
    assert chain().get(timeout=20) == len('"caf\\udce9.txt"')
    chord = celery.chord([tasks("journey.weigh", name)] * 2, tasks("journey.weigh", name).set(immutable=True))
    assert chord().get(timeout=20) == len('"caf\\udce9.txt"')


def test_map_starmap_and_chunks_call_native_tasks(road, start_worker, queue, tasks):
    start_worker(road, queue)
    starmap = canvas.xstarmap(tasks("tasks.add"), [(1, 2), (3, 4)], app=road.app)
    assert starmap.apply_async(queue=queue).get(timeout=20) == [3, 7]
    mapped = canvas.xmap(tasks("tasks.sum"), [[1, 2], [3]], app=road.app)
    assert mapped.apply_async(queue=queue).get(timeout=20) == [3, 3]
    call = {"task": dict(tasks("tasks.add")), "it": [[1, 1], [2, 2], [3, 3]], "n": 2}
    tree = road.app.send_task("celery.chunks", kwargs=call, queue=queue).get(timeout=20)
    assert result_from_tuple(tree, app=road.app).get(timeout=20) == [[2, 4], [6]]


def test_the_other_builtin_tasks_are_there(road, start_worker, queue, tasks):
    start_worker(road, queue)
    assert road.app.send_task("celery.backend_cleanup", queue=queue).get(timeout=20) is None
    assert road.app.send_task("celery.accumulate", (5, 6), {"index": 1}, queue=queue).get(timeout=20) == 6
    with pytest.raises(NotImplementedError):
        road.app.send_task("celery.chain", queue=queue).get(timeout=20)


class WithoutJoin:
    """A client whose own backend counts no parts, so that it sends celery.chord_unlock with each chord; the worker's
    results go elsewhere."""

    def __init__(self, folder, store, taskhost):
        self.broker = settings.server("AMQP_URL")
        self.backend = settings.server("REDIS_URL") if store == "redis" else f"sqlite://{folder}/results.db"
        (folder / "own").mkdir()
        self.app = clients.app(self.broker, f"file://{folder}/own")
        self.taskhost = taskhost

    def outcome(self, task_id):
        def look():
            seen = self.taskhost("result", task_id, "-b", self.broker, "--result-backend", self.backend, "--json")
            return seen.json if seen.out and seen.json["state"] in ("SUCCESS", "FAILURE") else None
        return until(f"{task_id} to end", look, 30)


@pytest.fixture(params=["redis", "sqlite"])
def joinless(request, tmp_path, taskhost):
    one = WithoutJoin(tmp_path, request.param, taskhost)
    yield one
    one.app.close()


def sign(client, queue, name, *args):
    return client.app.signature(name, args, queue=queue)


def test_a_chord_of_a_client_without_native_join_is_joined_by_looking(joinless, start_worker, queue, note, gate):
    worker = start_worker(joinless, queue)
    header = [sign(joinless, queue, "tasks.add", 1, 2), sign(joinless, queue, "journey.gate", str(note), "7", gate.path)]
    body = celery.chord(header)(sign(joinless, queue, "celery.accumulate"))
    worker.wait_for_log("celery.chord_unlock", "retry: Retry in 1")
    gate.open()
    assert joinless.outcome(body.id)["result"] == [[3.0, "7"]]


def test_groups_in_such_a_header_come_as_lists(joinless, start_worker, queue):
    start_worker(joinless, queue)
    inner = celery.group(sign(joinless, queue, "tasks.add", number, 0) for number in (1, 2))
    header = [inner | sign(joinless, queue, "tasks.sum"), sign(joinless, queue, "tasks.add", 2, 2)]
    body = celery.chord(header)(sign(joinless, queue, "tasks.sum"))
    assert joinless.outcome(body.id)["result"] == 7


def test_a_failed_member_fails_the_body_of_such_a_chord(joinless, start_worker, queue):
    start_worker(joinless, queue)
    bad = sign(joinless, queue, "tasks.fail", "no good").set(task_id="bad-member")
    body = celery.chord([sign(joinless, queue, "tasks.add", 1, 2), bad])(sign(joinless, queue, "tasks.sum"))
    outcome = joinless.outcome(body.id)
    assert (outcome["state"], outcome["result"]["exc_type"]) == ("FAILURE", "ChordError")
    assert outcome["result"]["exc_message"] == ["Dependency bad-member raised ValueError('no good')"]


@pytest.mark.not_postgresql("Celery's backend for databases reads these only with a setting")
def test_the_rest_of_a_failed_chain_has_extended_results_too(redis_transport, start_worker, queue, tmp_path):
    configuration = tmp_path / "extended.toml"
    configuration.write_text("[results]\nextended = true\n")
    start_worker(redis_transport, queue, options=["--config", str(configuration)])
    sign = redis_transport.app.signature
    last = (sign("tasks.fail", ("no good",), queue=queue) | sign("tasks.mul", (2,), queue=queue)
            | sign("tasks.add", (1,), {"z": 3}, queue=queue))()
    with pytest.raises(ValueError, match="no good"):
        last.get(timeout=20)
    for step, name, args, kwargs in [(last, "tasks.add", [1], {"z": 3}), (last.parent, "tasks.mul", [2], {})]:
        until(f"{step.id} to have failed", lambda: step.state == "FAILURE")
        meta = redis_transport.app.backend.get_task_meta(step.id)
        assert (meta["name"], meta["args"], meta["kwargs"], meta["retries"]) == (name, args, kwargs, 0)
        assert (meta["worker"], meta["queue"]) == (None, None)


def test_a_chord_over_rpc_is_not_implemented(start_worker, queue):
    road = Transport("rpc")
    start_worker(road, queue)
    following = {"task": "celery.chord", "args": [], "options": {}, "subtask_type": "chord", "immutable": False,
                 "kwargs": {"header": [dict(road.app.signature("tasks.mul", (2,), queue=queue))], "kwargs": {},
                            "body": dict(road.app.signature("tasks.sum", queue=queue))}}
    with pytest.raises(NotImplementedError, match="does not support chords"):
        road.app.send_task("tasks.add", (4, 6), queue=queue, link=[following]).get(timeout=20)
    road.app.close()


def test_what_follows_inherits_the_priority_where_the_operator_says_so(redis_transport, start_worker, queue, queues,
                                                                       tmp_path):
    configuration = tmp_path / "inherit.toml"
    configuration.write_text("[worker]\ninherit_parent_priority = true\n")
    start_worker(redis_transport, queue, options=["--config", str(configuration)])
    elsewhere = queues.new()
    sign = redis_transport.app.signature
    (sign("tasks.add", (4, 6), queue=queue, priority=5) | sign("tasks.mul", (2,), queue=elsewhere))()
    assert until("the next step", lambda: queues.get(elsewhere)).properties["priority"] == 5
