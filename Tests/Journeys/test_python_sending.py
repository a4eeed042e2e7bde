"""What Python tasks send goes through the host: canvases, retries, replacements, errbacks, events."""
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlparse
from uuid import UUID

import pytest
from celery import chain, chord, group, uuid
from celery.result import GroupResult

from lab import python
from lab.wait import until

# The zygote's app would need the client for PostgreSQL, which receives no events.
pytestmark = pytest.mark.parametrize("road", ["rabbitmq", "redis"], indirect=True)


@pytest.fixture
def sig(road, queue):
    """A signature of one of the app's tasks, for this test's queue."""
    return lambda name, *args, **options: road.app.signature(f"sending.{name}", args).set(queue=queue, **options)


@pytest.fixture
def call(sig):
    return lambda *args, **options: sig(*args, **options).apply_async()


@pytest.fixture(autouse=True)
def worker(start_worker, road, queue, tmp_path):
    own = {"APP_BROKER": road.broker, "APP_BACKEND": road.backend, "APP_QUEUE": queue}
    return start_worker(road, queue, slots=4, plugins=[python.bundle()],
                        options=python.options(tmp_path, 'isolation = "keep:1000"\n', names=own),
                        environment={**python.environment("sending"), **own})


def test_what_tasks_send_arrives_and_no_child_is_connected_to_the_broker(call, road, queue):
    parent = call("sends")
    told = parent.get(timeout=30)
    if "amqp" in road.broker:
        assert urlparse(road.broker).port not in told["links"]
    one, two, line, both, sum_, parts = told["ids"]
    result = road.app.AsyncResult
    assert (result(one).get(timeout=20), result(two).get(timeout=20), result(line).get(timeout=20)) == (3, 7, 12)
    assert result(sum_).get(timeout=20) == 6
    children = {child.id: child for child in parent.children}
    # Of a chain it is the first task, of a chord its header that Celery names.
    assert {one, two, both, parts} < set(children) and len(children) == 6
    assert isinstance(children[both], GroupResult) and children[both].get(timeout=20) == [2, 4]
    assert children[parts].get(timeout=20) == [[0, 2], [4, 6]]

    typed = [datetime(2026, 1, 2, 3, 4, 5), UUID(int=7), Decimal("1.50"), b"\xff"]
    again = result(call("same", typed).get(timeout=20)).get(timeout=20)
    assert again == [typed, "datetime", "UUID"]

    seen = call("look", headers={"own": "mark"}, time_limit=40, soft_time_limit=30, stamped_headers=["stamp"], stamp=1)
    says = seen.get(timeout=20)
    assert (says["id"], says["root"], says["parent"], says["retries"]) == (seen.id, seen.id, None, 0)
    assert says["queue"] == {"exchange": "", "routing_key": queue, "priority": 0, "redelivered": False}
    assert says["headers"]["own"] == "mark" and says["limits"] == [40, 30] and says["stamps"] == {"stamp": 1}
    assert (says["direct"], says["eager"], says["host"].partition("@")[0]) == (False, False, "celery")


def test_retries_replacements_and_errbacks_are_celerys_own(call, sig, road, queue):
    place = {"exchange": "", "routing_key": queue, "priority": 3, "redelivered": False}
    assert call("retries", 1, priority=3).get(timeout=20) == [3, {"priority_seen": 3}, 2, place]
    with pytest.raises(ZeroDivisionError):
        call("gives_up").get(timeout=20)
    with pytest.raises(KeyError, match="gone"):
        call("by_itself").get(timeout=20)
    on = call("goes_on")
    until("the attempt that it has sent all the same", lambda: road.app.backend.get(f"again-{on.id}"), 20)

    for how, outcome in {"task": 6, "chain": 7, "group": [6, 7], "chord": 13}.items():
        assert call("gives_way", how, 5).get(timeout=20) == outcome, how
    assert chain(sig("gives_way", "group", 5), sig("total")).apply_async().get(timeout=20) == 13
    assert chord([sig("gives_way", "chord", 5), sig("add", 1, 1)], sig("total")).apply_async().get(timeout=20) == 15
    assert chord([sig("adds_to_its_chord", 5)], sig("total")).apply_async().get(timeout=20) == 11
    assert group(sig("gives_way", "task", 1), sig("add", 1, 1)).apply_async().get(timeout=20) == [2, 2]

    failed = sig("fails").on_error(sig("errback")).apply_async()
    key = f"errback-{failed.id}"
    until("the errback's mark", lambda: road.app.backend.get(key), 20)
    assert road.app.backend.get(key) == b"ValueError: on purpose; sending.fails"


def test_a_task_sends_events(call, road):
    with road.app.connection_for_read() as connection:
        caught = []
        receiver = road.app.events.Receiver(connection, handlers={"task-custom": caught.append})
        with receiver.consumer_context() as (own, _, _):
            sent = call("says")
            until("the event", lambda: caught or own.drain_events(timeout=20), 20)
    assert (caught[0]["text"], caught[0]["uuid"]) == ("hello", sent.id)


def test_a_task_commands_workers_and_what_it_leaves_behind_sends_by_itself(call, road, tmp_path):
    late, late_id = tmp_path / "late", uuid()
    call("leaves_a_thread", str(late), late_id).get(timeout=20)
    revoked = call("add", 1, 2, countdown=3600)
    (answer,) = call("commands", revoked.id).get(timeout=20)
    assert list(answer.values()) == [{"ok": "pong"}]
    until("the revocation", lambda: revoked.state == "REVOKED", 20)
    late.touch()
    assert road.app.AsyncResult(late_id).get(timeout=20) == 2
