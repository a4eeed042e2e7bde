"""Slots that change while the worker runs, by the stock `celery` command and by demand."""
import pytest
from lab.wait import until
from test_control import celery_command, inspect


@pytest.fixture
def node(queue):
    return f"pool-{queue}@test"


@pytest.fixture
def start_node(start_worker, queue, node):
    return lambda transport, *options, **how: start_worker(transport, queue, options=["-n", node, *options], **how)


def control(transport, node, *words):
    return celery_command(transport, "control", "-d", node, "-t", "10", *words)


def slots(transport, node):
    return inspect(transport, node, "stats")["pool"]["max-concurrency"]


def test_the_pool_grows_and_shrinks_on_command(redis_transport, start_node, node, queue, note, gate):
    start_node(redis_transport, slots=1)
    before = inspect(redis_transport, node, "stats")["prefetch_count"]
    sent = [redis_transport.send("journey.gate", str(note), str(number), gate.path, queue=queue) for number in range(4)]
    until("one to run", lambda: len(note.lines) == 1)
    assert "pool will grow" in control(redis_transport, node, "pool_grow", "2")
    until("three to run", lambda: len(note.lines) == 3)
    stats = inspect(redis_transport, node, "stats")
    assert stats["pool"]["max-concurrency"] == 3 and stats["prefetch_count"] > before and "autoscaler" not in stats
    assert "pool will shrink" in control(redis_transport, node, "pool_shrink", "9")
    assert slots(redis_transport, node) == 1 and len(inspect(redis_transport, node, "active")) == 3
    gate.open()
    assert [one.get(timeout=30) for one in sent] == ["0", "1", "2", "3"]
    answer = redis_transport.app.control.autoscale(3, 1, destination=[node], reply=True, timeout=15)
    assert answer == [{node: {"error": "ValueError('Autoscale not enabled')"}}]


def test_slots_follow_demand(redis_transport, start_node, node, queue, note, gate):
    start_node(redis_transport, "--autoscale", "1,3", environment={"AUTOSCALE_KEEPALIVE": "1"})
    assert inspect(redis_transport, node, "stats")["autoscaler"] == {"max": 3, "min": 1, "current": 1, "qty": 0}
    sent = [redis_transport.send("journey.gate", str(note), str(number), gate.path, queue=queue) for number in range(5)]
    until("three to run", lambda: len(note.lines) == 3)
    assert "autoscale now max=4 min=2" in control(redis_transport, node, "autoscale", "4", "2")
    until("a fourth to run", lambda: len(note.lines) == 4)
    [refused] = redis_transport.app.control.pool_grow(1, destination=[node], reply=True, timeout=15)
    assert "not supported with autoscale" in refused[node]["error"]
    gate.open()
    assert [one.get(timeout=30) for one in sent] == ["0", "1", "2", "3", "4"]
    until("idle slots to go", lambda: slots(redis_transport, node) == 2)


def test_a_pool_is_restarted_only_where_the_operator_allows_it(redis_transport, start_node, node):
    start_node(redis_transport)
    how = {"destination": [node], "reply": True, "timeout": 5}
    assert redis_transport.app.control.pool_restart(**how) == [{node: {
        "error": "ValueError('Pool restarts not enabled')"}}]
