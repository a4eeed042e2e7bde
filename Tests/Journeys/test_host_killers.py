"""A message that kills its worker: it starts as often as it may, then lies in the dead letters; its neighbours end well."""
import os
import time
import types

import pytest
import redis
from lab import bundles, settings

HERE = os.path.dirname(os.path.abspath(__file__))
# Redis, PostgreSQL and the embedded broker count every start; with RabbitMQ the store is asked from the second one on.
MOST = {"redis": 3, "embedded": 3, "postgresql": 3, "classic": 4, "quorum": 4}


@pytest.fixture(scope="session")
def hostkiller(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostkiller")
    return bundles.build_c(os.path.join(HERE, "bundles", "hostkiller.c"), folder)


@pytest.fixture(params=["redis", "embedded", "postgresql", "classic", "quorum"])
def place(request, tmp_path, queues):
    """Broker, store, a queue, and what makes a killed worker's lease end at once."""
    def at_once():
        pass

    kind = request.param
    if kind == "embedded":
        broker = backend = f"sqlite://{tmp_path}/taskhost.db"
        queue = "work"
    elif kind == "postgresql":
        database = request.getfixturevalue("database")
        broker = backend = database.broker
        queue = "work"

        def at_once():  # noqa: F811
            database.sql("UPDATE taskhost.host SET lease_until = '-infinity'")
    elif kind == "redis":
        broker = backend = settings.server("REDIS_URL")
        queue = f"killers-{os.path.basename(tmp_path)}"
        client = redis.Redis.from_url(broker)

        def at_once():  # noqa: F811
            for host in client.zrange("taskhost-hosts", 0, -1):
                client.zadd("taskhost-hosts", {host: 1})
    else:
        broker, backend = settings.server("AMQP_URL"), settings.server("REDIS_URL")
        queue = queues.new(queue_type=kind) if kind == "quorum" else queues.new()
    return types.SimpleNamespace(kind=kind, broker=broker, backend=backend, queue=queue, end_leases=at_once)


def test_a_killer_is_buried_and_its_neighbours_end(place, start_worker, hostkiller, journey, taskhost, note):
    # The task stands for one that eats the worker's memory; tasks may not send their worker signals otherwise.
    worker = start_worker(place, place.queue, plugins=[hostkiller, journey], slots=3,
                          environment={"TASKHOST_SANDBOX_SIGNALS": "true"})

    def send(name, *arguments):
        return taskhost("call", name, *arguments, "-b", place.broker, "-Q", place.queue).expect(0).out.strip()

    def letters():
        return taskhost("dead", "ls", place.queue, "-b", place.broker, "--json").expect(0).out

    killer = "not sent"
    good = [send("journey.mark", str(note), f"good {number}", "1.5") for number in range(2)]
    killer = send("hostkiller.kill", str(note), "0.3")
    good += [send("journey.mark", str(note), f"good {number}", "0") for number in range(2, 8)]
    deaths, end = 0, time.monotonic() + 150
    while time.monotonic() < end:
        if not worker.running:
            deaths += 1
            assert deaths <= MOST[place.kind], f"{note.lines}\n{worker.tail()}"
            worker.kill()
            place.end_leases()
            worker.start()
        elif deaths and killer in letters():
            break
        time.sleep(0.1)
    letter = letters()
    assert killer in letter and "its host died" in letter, f"{note.lines}\n{worker.tail()}"
    assert note.lines.count("killer") == deaths == MOST[place.kind]
    for one in good:
        taskhost("result", one, "-b", place.broker, "--result-backend", place.backend, "--wait=30").expect(0)
        assert one not in letter
    for number in range(8):
        assert 1 <= note.lines.count(f"good {number}") <= 3
    assert worker.stop() == 0
