"""Results in memcached and MongoDB, with stock Celery clients and workers on the same keys and documents."""
import contextlib
import datetime
import os
import signal
import subprocess
import sys

import celery
import pymongo
import pytest
from lab import clients, settings
from lab.wait import until
from pymemcache.client.base import Client as MemcachedClient
from servers.memcached import Memcached
from servers.mongodb import MongoDB

HERE = os.path.dirname(os.path.abspath(__file__))


class OnStore:
    """RabbitMQ as broker, a store of the test's own for results, and a client of both."""

    def __init__(self, backend, server=None, **configuration):
        self.server = server
        self.broker = settings.server("AMQP_URL")
        self.backend = backend
        self.app = clients.app(self.broker, backend, **configuration)

    def send(self, name, *args, queue, **options):
        return self.app.send_task(name, args, queue=queue, **options)


def open_server(kind, folder, *options):
    server = {"memcached": Memcached, "mongodb": MongoDB}[kind](str(folder), *options)
    server.start()
    server.wait_until_ready()
    return server


@pytest.fixture(params=["memcached", "mongodb"])
def kind(request):
    return request.param


@pytest.fixture
def road(kind, tmp_path):
    server = open_server(kind, tmp_path)
    one = OnStore(server.url(), server, result_extended=True)
    yield one
    one.app.close()
    server.close()


def configured(folder, text):
    path = folder / "taskhost.toml"
    path.write_text(text)
    return ["--config", str(path)]


def said(worker):
    with open(worker.log_path) as file:
        return file.read()


@contextlib.contextmanager
def python_worker(road, queue, folder):
    """A stock worker with tasks.add, up to its end."""
    log = folder / "python-worker.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", "celery", "-A", "python_worker", "worker", "-P", "solo", "-Q", queue,
             "-n", f"python-{queue}@test", "-l", "INFO"],
            cwd=HERE, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "C_FORCE_ROOT": "1", "BROKER": road.broker, "BACKEND": road.backend, "QUEUE": queue})
    try:
        until("the Python worker to be ready", lambda: " ready." in log.read_text(), 60)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_a_stock_client_gets_what_workers_store(road, start_worker, queue, tmp_path):
    start_worker(road, queue, options=configured(tmp_path, "[results]\nextended = true\n"))
    plain = road.send("tasks.add", 4, 6, queue=queue)
    assert plain.get(timeout=20) == 10
    assert (plain.name, plain.args, plain.retries, plain.queue) == ("tasks.add", [4, 6], 0, queue)
    assert plain.worker.startswith("celery@") and plain.date_done is not None
    failed = road.send("tasks.fail", "no good", queue=queue)
    with pytest.raises(ValueError, match="no good"):
        failed.get(timeout=20)
    assert "no good" in failed.traceback
    plain.forget()
    assert road.app.AsyncResult(plain.id).state == "PENDING"


def test_chains_groups_and_chords_of_a_stock_client(kind, road, start_worker, queue):
    start_worker(road, queue)
    sign = road.app.signature

    def add(*args):
        return sign("tasks.add", args, queue=queue)

    assert (add(1, 2) | add(3) | add(4))().get(timeout=20) == 10
    group = celery.group(add(1, 1), add(2, 2))()
    assert group.get(timeout=20) == [2, 4]
    group.save()
    again = celery.result.GroupResult.restore(group.id, app=road.app)
    # Of MongoDB, Celery gives the list of its members.
    assert [one.get(timeout=20) for one in (again if kind == "mongodb" else again.results)] == [2, 4]
    body = sign("tasks.sum", queue=queue)
    assert celery.chord([add(1, 1), add(2, 2), add(3, 3)], body)().get(timeout=30) == 12
    failing = celery.chord([add(1, 1), sign("tasks.fail", ("no",), queue=queue)], body)()
    until("the body to fail", lambda: failing.state == "FAILURE")
    assert isinstance(failing.result, celery.exceptions.ChordError) and "no" in str(failing.result)


def test_a_chord_within_a_chain_is_joined(road, start_worker, queue):
    start_worker(road, queue)
    sign = road.app.signature
    header = celery.group(sign("tasks.add", (1,), queue=queue), sign("tasks.add", (2,), queue=queue))
    # The worker that runs the first step sends the header.
    canvas = sign("tasks.add", (4, 6), queue=queue) | header | sign("tasks.sum", queue=queue)
    result = canvas()
    assert result.get(timeout=30) == 23
    assert road.app.AsyncResult(result.id).get(timeout=5) == 23


def test_a_python_worker_and_ours_join_the_same_chords(road, start_worker, queues, tmp_path):
    ours, theirs = queues.new(), queues.new()
    worker = start_worker(road, ours)
    sign = road.app.signature
    with python_worker(road, theirs, tmp_path):
        for number in range(6):
            header = [sign("tasks.add", (number, place), queue=[ours, theirs][place % 2]) for place in range(4)]
            result = celery.chord(header, sign("tasks.sum", queue=ours))()
            assert result.get(timeout=60) == 4 * number + 6
        # Sent by our worker, its header run by both.
        header = celery.group(sign("tasks.add", (1,), queue=ours), sign("tasks.add", (2,), queue=theirs))
        canvas = sign("tasks.add", (4, 6), queue=ours) | header | sign("tasks.sum", queue=ours)
        assert canvas().get(timeout=60) == 23
    assert worker.running


def test_what_is_old_goes(kind, road, start_worker, queue, tmp_path):
    if kind == "mongodb":
        results = pymongo.MongoClient(road.backend).celery.celery_taskmeta
        now = datetime.datetime.now(datetime.timezone.utc)
        for name, hours in (("old", 2), ("new", 0.5)):
            results.insert_one({"_id": name, "status": "SUCCESS", "result": "1", "traceback": None, "children": [],
                                "date_done": now - datetime.timedelta(hours=hours)})
        results.insert_one({"_id": "never", "status": "STARTED", "date_done": None})
        start_worker(road, queue, options=configured(tmp_path, "[results]\nexpires = 3600\n"))
        road.send("tasks.add", 1, 2, queue=queue).get(timeout=20)
        until("the old one to be gone", lambda: results.find_one({"_id": "old"}) is None, 60)
        assert results.find_one({"_id": "new"}) and results.find_one({"_id": "never"})
        results.database.client.close()
    else:
        start_worker(road, queue, options=configured(tmp_path, "[results]\nexpires = 3\n"))
        sent = road.send("tasks.add", 1, 2, queue=queue)
        assert sent.get(timeout=20) == 3
        until("it to be gone", lambda: road.app.AsyncResult(sent.id).state == "PENDING", 60)


def test_the_server_is_killed_and_comes_back(kind, road, start_worker, queue):
    worker = start_worker(road, queue)
    before = road.send("tasks.add", 1, 2, queue=queue)
    assert before.get(timeout=20) == 3
    road.server.kill()
    ids = [road.send("tasks.add", number, 1, queue=queue).id for number in range(40)]
    until("the loss to be told", lambda: "unreachable" in said(worker), 60)
    road.server.start()
    road.server.wait_until_ready()
    again = OnStore(road.backend)
    assert [again.app.AsyncResult(one).get(timeout=60) for one in ids] == [number + 1 for number in range(40)]
    # What memcached had is forgotten, and nobody waits for it.
    assert again.app.AsyncResult(before.id).state == ("PENDING" if kind == "memcached" else "SUCCESS")
    again.app.close()


def test_a_frozen_server_is_waited_for(road, start_worker, queue):
    worker = start_worker(road, queue)
    assert road.send("tasks.add", 1, 2, queue=queue).get(timeout=20) == 3
    os.kill(road.server.process.popen.pid, signal.SIGSTOP)
    try:
        ids = [road.send("tasks.add", number, 1, queue=queue).id for number in range(5)]
        until("the silence to be told", lambda: "no answer" in said(worker) or "timeout" in said(worker), 90)
    finally:
        os.kill(road.server.process.popen.pid, signal.SIGCONT)
    again = OnStore(road.backend)
    assert [again.app.AsyncResult(one).get(timeout=60) for one in ids] == [number + 1 for number in range(5)]
    again.app.close()


def test_the_command_line_waits_for_results_and_looks_at_the_server(kind, road, start_worker, queue, taskhost):
    start_worker(road, queue)
    words = ["-b", road.broker, "--result-backend", road.backend]
    done = taskhost("call", "tasks.add", 4, 6, *words, "--queue", queue, "--json", "--wait=20")
    assert done.json["result"] == 10
    assert {"memcached": "memcached 1", "mongodb": "MongoDB "}[kind] in taskhost("doctor", *words).out


def test_a_memcached_without_room_is_waited_for(start_worker, queue, tmp_path):
    # It may not throw anything away (-M).
    server = open_server("memcached", tmp_path, "-M", "-m", "4")
    filler = MemcachedClient(("127.0.0.1", server.port), default_noreply=False)
    number = 0
    with contextlib.suppress(Exception):
        # Of every size that a result may have, until nothing more goes in.
        for size in (100_000, 10_000, 1_000, 500, 300, 200, 150, 100):
            with contextlib.suppress(Exception):
                while filler.set(f"filler-{number}", b"x" * size):
                    number += 1
    road = OnStore(server.url(), server)
    worker = start_worker(road, queue)
    sent = road.send("tasks.add", 4, 6, queue=queue)
    until("the want of room to be told", lambda: "out of memory" in said(worker), 60)
    filler.flush_all()
    assert sent.get(timeout=60) == 10
    road.app.close()
    server.close()


def test_a_result_that_no_item_of_memcached_holds_is_a_failure(start_worker, queue, tmp_path):
    server = open_server("memcached", tmp_path)
    road = OnStore(server.url(), server)
    start_worker(road, queue)
    sent = road.send("journey.fill", 2 << 20, queue=queue)
    until("the failure", lambda: sent.state == "FAILURE", 60)
    assert type(sent.result).__name__ == "BackendStoreError" and "larger than memcached takes" in str(sent.result)
    road.app.close()
    server.close()


def test_several_memcacheds_share_the_keys_as_the_stock_client_shares_them(start_worker, queue, tmp_path):
    servers = [open_server("memcached", tmp_path) for _ in range(3)]
    places = ";".join(f"127.0.0.1:{one.port}" for one in servers)
    road = OnStore(f"cache+memcached://{places}/")
    start_worker(road, queue)
    sent = [road.send("tasks.add", number, 1, queue=queue) for number in range(40)]
    assert [one.get(timeout=30) for one in sent] == [number + 1 for number in range(40)]
    header = [road.app.signature("tasks.add", (number, 1), queue=queue) for number in range(5)]
    assert celery.chord(header, road.app.signature("tasks.sum", queue=queue))().get(timeout=30) == 15
    held = [int(MemcachedClient(("127.0.0.1", one.port)).stats()[b"curr_items"]) for one in servers]
    assert all(held), held
    road.app.close()
    for one in servers:
        one.close()
