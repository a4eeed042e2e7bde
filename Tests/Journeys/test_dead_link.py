"""Broker and result store out of reach for a while: what runs goes on, and the host can be looked at and stopped.

`make chaos` runs the same with five minutes.
"""
import time

import pytest
from conftest import Transport
from lab import settings
from lab.proxy import Proxy
from lab.wait import until
from test_metrics import get, port_of

LONG = pytest.param(300, marks=pytest.mark.chaos)


class Links:
    """The worker's ways to RabbitMQ and Redis lead through proxies; the test's own client goes around them."""

    def __init__(self):
        # So that a silent peer is given up within seconds.
        self.rabbitmq = Proxy(settings.server("AMQP_URL"), heartbeat=2, connection_timeout=2000)
        self.redis = Proxy(settings.server("REDIS_URL"))
        self.broker, self.backend = self.rabbitmq.url, self.redis.url

    def cut(self, how):
        self.rabbitmq.cut(how)
        self.redis.cut(how)

    def mend(self):
        self.rabbitmq.mend()
        self.redis.mend()

    def close(self):
        self.rabbitmq.close()
        self.redis.close()


@pytest.fixture
def links():
    one = Links()
    yield one
    one.close()


def not_ready(port):
    status, reason = get(port, "/readyz")
    return status == 503 and "broker" in reason


@pytest.mark.parametrize("seconds", [10, LONG])
@pytest.mark.parametrize("how", ["refused", "silent"])
def test_during_a_dead_link_tasks_run_and_the_host_answers_and_afterwards_nothing_is_lost_or_run_twice(
        links, start_worker, redis_transport, queues, queue, note, gate, taskhost, tmp_path, how, seconds):
    worker = start_worker(links, queue, slots=3, options=("--metrics-port", "0", "-n", f"dead-link-{queue}@test"))
    port = port_of(worker)
    until("ready", lambda: get(port, "/readyz")[0] == 200)
    late = type(gate)(tmp_path / "late")
    during = redis_transport.send("journey.gate", str(note), "during", gate.path, queue=queue)
    after = redis_transport.send("journey.gate", str(note), "after", late.path, queue=queue)
    until("both to run", lambda: sorted(note.lines) == ["after", "during"])

    links.cut(how)
    end = time.monotonic() + seconds
    until("the host to notice", lambda: not_ready(port), 60)
    gate.open()
    until("a task to end while the link is dead", lambda: "during done" in note.lines)
    looks = 0
    while time.monotonic() < end or not looks:  # the length of the cut is what is tried
        assert get(port, "/livez") == (200, "ok\n")
        assert not_ready(port)
        assert get(port, "/metrics")[0] == 200
        active = taskhost("inspect", "active", "--local", "--json").expect(0).json[f"dead-link-{queue}@test"]
        assert after.id in {one["id"] for one in active}
        looks += 1
        time.sleep(min(1, max(0.0, end - time.monotonic())))
    links.mend()

    assert during.get(timeout=60) == "during"
    late.open()
    assert after.get(timeout=60) == "after"
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=60) == 10.0
    until("ready again", lambda: get(port, "/readyz")[0] == 200, 60)
    assert sorted(note.lines) == ["after", "after done", "during", "during done"]
    assert worker.stop() == 0
    assert queues.ready(queue) == 0


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_a_host_stops_while_its_links_are_dead_and_what_it_could_not_settle_comes_again(
        links, start_worker, redis_transport, queues, queue, note, gate, how):
    worker = start_worker(links, queue, grace=1, options=("--metrics-port", "0"))
    port = port_of(worker)
    task = redis_transport.send("journey.gate", str(note), "again", gate.path, queue=queue)
    until("the task to run", lambda: note.lines == ["again"])
    links.cut(how)
    until("the host to notice", lambda: not_ready(port), 60)
    assert worker.stop(seconds=60) == 0
    assert note.lines == ["again"]
    links.mend()
    gate.open()
    start_worker(Transport("redis"), queue)
    assert task.get(timeout=60) == "again"
    assert note.lines == ["again", "again", "again done"]
