"""Remote control with the stock `celery` command: inspect and control."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import celery.exceptions
import pytest
from lab import clients, settings
from lab.wait import until


class Transport:
    """One of the brokers, with results in Redis."""

    def __init__(self, broker):
        self.broker = settings.server(broker)
        self.backend = settings.server("REDIS_URL")
        self.app = clients.app(self.broker, self.backend)

    def send(self, name, *args, queue, **options):
        return self.app.send_task(name, args, queue=queue, **options)


@pytest.fixture(params=["AMQP_URL", "REDIS_URL"], ids=["rabbitmq", "redis"])
def either(request):
    one = Transport(request.param)
    yield one
    one.app.close()


def celery_command(transport, *words, status=0):
    """`celery -b … --result-backend … words --json`, run to its end; what it wrote, parsed."""
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-b", transport.broker, "--result-backend", transport.backend, *words],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def inspect(transport, node, method, *words):
    out = celery_command(transport, "inspect", "--json", "-d", node, "-t", "10", method, *words)
    return json.loads(out)[node]


@pytest.fixture
def node(queue):
    return f"control-{queue}@test"


@pytest.fixture
def start_node(start_worker, queue, node):
    return lambda transport, **how: start_worker(transport, queue, options=["-n", node], **how)


def test_ping_and_status_find_the_worker(either, start_node, node):
    start_node(either)
    assert inspect(either, node, "ping") == {"ok": "pong"}
    assert f"{node}: OK" in celery_command(either, "status")
    assert either.app.control.ping(destination=[node], timeout=15) == [{node: {"ok": "pong"}}]


def test_active_reserved_and_scheduled_tell_what_the_worker_holds(either, start_node, node, queue, note, gate):
    start_node(either, slots=1)
    later = either.send("journey.mark", str(note), "later", queue=queue, countdown=40)
    until("the one for later to be held", lambda: inspect(either, node, "scheduled"))
    running = either.send("journey.gate", str(note), "first", gate.path, queue=queue)
    until("the first to run", lambda: note.lines == ["first"])
    waiting = either.send("journey.gate", str(note), "second", gate.path, queue=queue)
    until("the second to be held", lambda: inspect(either, node, "reserved"))

    [active] = inspect(either, node, "active")
    assert (active["id"], active["name"], active["type"]) == (running.id, "journey.gate", "journey.gate")
    assert active["args"] == [str(note), "first", gate.path] and active["kwargs"] == {}
    assert active["hostname"] == node and os.path.exists(f"/proc/{active['worker_pid']}")
    assert time.time() - 60 < active["time_start"] <= time.time()
    assert active["delivery_info"]["routing_key"] == queue
    [reserved] = inspect(either, node, "reserved")
    assert reserved["id"] == waiting.id and reserved["time_start"] is None and reserved["worker_pid"] is None
    [scheduled] = inspect(either, node, "scheduled")
    assert scheduled["request"]["id"] == later.id and scheduled["eta"]

    found = inspect(either, node, "query_task", running.id, later.id, "nobody")
    assert {key: where for key, (where, _) in found.items()} == {running.id: "active", later.id: "scheduled"}
    gate.open()


def test_registered_queues_stats_conf_clock_and_report(either, start_node, node, queue):
    worker = start_node(either, slots=3)
    either.send("tasks.add", 1, 2, queue=queue).get(timeout=30)
    registered = inspect(either, node, "registered")
    assert "tasks.add" in registered and "journey.gate" in registered and registered == sorted(registered)
    [described] = inspect(either, node, "active_queues")
    assert described["name"] == queue and described["exchange"]["type"] == "direct"
    stats = inspect(either, node, "stats")
    assert stats["total"] == {"tasks.add": 1} and stats["pid"] == worker.pid
    assert stats["pool"]["max-concurrency"] == 3 and "guest:guest" not in json.dumps(stats)
    assert inspect(either, node, "clock")["clock"] > 0
    conf = inspect(either, node, "conf")
    assert conf and "guest:guest" not in json.dumps(conf)
    assert "taskhost" in inspect(either, node, "report")["ok"]


def test_a_revoked_task_is_not_run(either, start_node, node, queue, queues, note, gate):
    start_node(either, slots=1)
    either.send("journey.gate", str(note), "first", gate.path, queue=queue)
    until("the first to run", lambda: note.lines == ["first"])
    doomed = either.send("journey.mark", str(note), "doomed", queue=queue)
    celery_command(either, "control", "-d", node, "-t", "10", "revoke", doomed.id)
    assert inspect(either, node, "revoked") == [doomed.id]
    gate.open()
    with pytest.raises(celery.exceptions.TaskRevokedError):
        doomed.get(timeout=30)
    queues.wait_until_empty(queue)
    assert "doomed" not in note.lines


def test_terminate_ends_the_task_with_that_id_and_never_its_neighbour(either, start_node, node, queue, note,
                                                                      gate):
    worker = start_node(either, slots=2)
    doomed = either.send("journey.gate", str(note), "doomed", str(gate.path) + ".never", queue=queue)
    spared = either.send("journey.gate", str(note), "spared", gate.path, queue=queue)
    until("both to run", lambda: sorted(note.lines) == ["doomed", "spared"])
    doomed.revoke(terminate=True, signal="KILL")
    with pytest.raises(celery.exceptions.TaskRevokedError):
        doomed.get(timeout=30)
    gate.open()
    assert spared.get(timeout=30) == "spared"
    assert "doomed done" not in note.lines and worker.running


def test_a_task_is_revoked_by_its_stamp(either, start_node, node, queue, note):
    start_node(either)
    either.app.control.revoke_by_stamped_headers({"tenant": ["blue"]}, reply=True, timeout=15,
                                                          destination=[node])
    stamped = either.app.signature("journey.mark", (str(note), "blue"), queue=queue)
    stamped.stamp(tenant="blue")
    doomed = stamped.apply_async()
    with pytest.raises(celery.exceptions.TaskRevokedError):
        doomed.get(timeout=30)
    assert note.lines == []


def test_a_starting_worker_learns_what_the_others_have_revoked(either, start_worker, queues):
    first, second = (f"{name}-{queues.new()}@test" for name in ("first", "second"))
    start_worker(either, queues.new(), options=["-n", first])
    either.app.control.revoke("long-ago", destination=[first], reply=True, timeout=15)
    start_worker(either, queues.new(), options=["-n", second])
    until("the greeting to be answered", lambda: inspect(either, second, "revoked") == ["long-ago"])


@contextlib.contextmanager
def python_worker(transport, node, queue, folder, options=()):
    """A stock worker without tasks of its own, up to its end."""
    log = folder / "python-worker.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", "celery", "-b", transport.broker, "--result-backend", transport.backend,
             "worker", "-P", "solo", "-n", node, "-Q", queue, "-l", "INFO", *options],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, "C_FORCE_ROOT": "1"})
    try:
        until("the Python worker to be ready", lambda: " ready." in log.read_text(), 60)
        # On Redis it says so before it has subscribed, and what is published then is lost.
        until("the Python worker to listen", lambda: transport.app.control.ping(destination=[node], timeout=1), 60)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_python_workers_and_we_tell_each_other_what_is_revoked(either, start_worker, queues, tmp_path):
    first, ours, last = (f"{name}-{queues.new()}@test" for name in ("first", "ours", "last"))
    with python_worker(either, first, queues.new(), tmp_path):
        either.app.control.revoke("by-python", destination=[first], reply=True, timeout=10)
        start_worker(either, queues.new(), options=["-n", ours])
        until("its answer to our greeting", lambda: inspect(either, ours, "revoked") == ["by-python"])
    either.app.control.revoke("by-us", destination=[ours], reply=True, timeout=10)
    with python_worker(either, last, queues.new(), tmp_path):
        assert sorted(inspect(either, last, "revoked")) == ["by-python", "by-us"]


FLEET_COMMANDS = """
from celery.worker.control import inspect_command

@inspect_command()
def sum_of(state, first=0, second=0):
    return {"ok": first + second}
"""


def test_a_command_that_only_python_workers_define_is_sent_as_it_is(either, start_worker, queues, taskhost, tmp_path):
    theirs, ours = (f"{name}-{queues.new()}@test" for name in ("theirs", "ours"))
    (tmp_path / "fleet_commands.py").write_text(FLEET_COMMANDS)
    with python_worker(either, theirs, queues.new(), tmp_path, ["-I", "fleet_commands"]):
        start_worker(either, queues.new(), options=["-n", ours])
        where = ["-b", either.broker, "-t", "10", "-d"]
        both = taskhost("inspect", "sum_of", "first=2", "second=3", *where, f"{theirs},{ours}", "--json").expect(0)
        assert both.json == {theirs: {"ok": 5}, ours: {"error": "KeyError('sum_of')"}}
        nobody = taskhost("control", "no_such", *where, f"{theirs},{ours}").expect(1)
        assert "no worker that replied knows the command 'no_such'" in nobody.err
        taskhost("inspect", "dump_active", *where, f"{theirs},{ours}").expect(0)


def test_what_was_revoked_is_not_run_after_the_worker_was_killed(either, start_worker, node, queue, note,
                                                                 tmp_path):
    state = tmp_path / "worker.state"
    worker = start_worker(either, queue, options=["-n", node, "--statedb", str(state)])
    how = {"reply": True, "timeout": 5, "destination": [node]}
    assert either.app.control.revoke("doomed-" + queue, **how)
    assert f"doomed-{queue}" in state.read_text(), "it is kept before it is answered"
    either.app.control.revoke_by_stamped_headers({"tenant": ["blue"]}, **how)
    until("the stamp to be kept", lambda: "blue" in state.read_text())
    worker.process.kill()
    until("the worker to be gone", lambda: not worker.running)
    worker.start()
    assert inspect(either, node, "revoked") == ["doomed-" + queue]
    doomed = either.send("journey.mark", str(note), "by id", queue=queue, task_id="doomed-" + queue)
    stamped = either.app.signature("journey.mark", (str(note), "by stamp"), queue=queue)
    stamped.stamp(tenant="blue")
    for one in (doomed, stamped.apply_async()):
        with pytest.raises(celery.exceptions.TaskRevokedError):
            one.get(timeout=30)
    either.send("journey.mark", str(note), "spared", queue=queue).get(timeout=30)
    assert note.lines == ["spared"]


def test_limits_are_changed_at_run_time(either, start_node, node, queue):
    start_node(either)
    control = either.app.control
    how = {"reply": True, "timeout": 5, "destination": [node]}
    assert control.rate_limit("tasks.add", "7/m", **how) == [{node: {"ok": "new rate limit set successfully"}}]
    assert "tasks.add [rate_limit=7/m]" in inspect(either, node, "registered")
    assert control.rate_limit("no.such", "7/m", **how) == [{node: {"error": "unknown task"}}]
    assert control.time_limit("tasks.add", soft=3, hard=5, **how) == [{node: {"ok": "time limits set successfully"}}]


def test_shutdown_ends_the_worker_in_good_order(either, start_node, node):
    worker = start_node(either)
    # A broadcast that nobody answers is lost on a worker that does not listen yet.
    until("the worker to listen", lambda: inspect(either, node, "ping") == {"ok": "pong"})
    either.app.control.shutdown(destination=[node])
    until("the worker to end", lambda: not worker.running)
    assert worker.process.returncode == 0
    assert [one["cause"] for one in worker.events("stopping")] == ["the command shutdown"]


def test_an_unknown_command_is_answered_and_a_stranger_is_not(either, start_node, node):
    worker = start_node(either)
    control = either.app.control
    assert control.broadcast("nosuch", reply=True, timeout=15, destination=[node]) == [
        {node: {"error": "KeyError('nosuch')"}}]
    assert control.ping(destination=["else@where"], timeout=0.5) == []
    worker.process.send_signal(signal.SIGTERM)


def test_fleets_with_control_exchanges_of_their_own_do_not_hear_each_other(either, start_worker, queue, node, taskhost,
                                                                           tmp_path):
    configuration = tmp_path / "shop.toml"
    configuration.write_text('[control]\nexchange = "shop"\n')
    start_worker(either, queue, options=["-n", node, "--config", str(configuration)])
    shop = clients.app(either.broker, either.backend, control_exchange="shop")
    assert shop.control.ping(destination=[node], timeout=10) == [{node: {"ok": "pong"}}]
    assert either.app.control.ping(destination=[node], timeout=0.5) == []
    said = taskhost("status", "-b", either.broker, "-d", node, "-t", "10", "--config", str(configuration)).expect(0)
    assert node in said.out
    result = either.send("tasks.add", 1, 2, queue=queue, countdown=3600)
    taskhost("revoke", result.id, "-b", either.broker, "--config", str(configuration)).expect(0)
    until("the revocation", lambda: result.state == "REVOKED")
    shop.close()


def test_a_queue_that_the_broker_refuses_is_left_out_and_the_worker_goes_on(redis_transport, start_node, node, queue,
                                                                            queues, note):
    """However it was misspelt: a command that goes to all workers must not end the fleet."""
    worker = start_node(redis_transport)
    told = inspect_names(redis_transport, node)
    assert told == [queue]
    # RabbitMQ keeps these names to itself; this other one is somebody's own.
    owned = queues.new() + "-owned"
    with redis_transport.app.connection_for_write() as connection, connection.channel() as channel:
        channel.queue_declare(owned, exclusive=True, durable=False)
        for name in ("amq.misspelt", owned):
            celery_command(redis_transport, "control", "--json", "-d", node, "-t", "10", "add_consumer", name)
            worker.wait_for_log("is not consumed", name)
    assert inspect_names(redis_transport, node) == [queue]
    # Its owner is gone, and the queue with it: asked for again, it is made.
    celery_command(redis_transport, "control", "--json", "-d", node, "-t", "10", "add_consumer", owned)
    redis_transport.send("journey.mark", str(note), "late", queue=owned).get(timeout=20)
    redis_transport.send("journey.mark", str(note), "as before", queue=queue).get(timeout=20)
    assert note.lines == ["late", "as before"] and worker.running


def inspect_names(transport, node):
    return [one["name"] for one in inspect(transport, node, "active_queues")]
