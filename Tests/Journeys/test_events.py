"""Events for monitors, as a stock Celery event receiver sees them."""
import subprocess
import sys
import threading
import time

import celery.events.state
import pytest
from lab import clients, settings
from lab.wait import until

BROKERS = {"rabbitmq": "AMQP_URL", "redis": "REDIS_URL"}


class Ear:
    """Celery's EventReceiver on a thread of its own; `seen` grows."""

    def __init__(self, app):
        self.seen = []
        self.app = app
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        assert self.ready.wait(15), "the receiver doesn't listen"

    def listen(self):
        with self.app.connection_for_read() as connection:
            self.receiver = self.app.events.Receiver(connection, handlers={"*": self.seen.append})
            self.receiver.on_consume_ready = lambda *_, **__: self.ready.set()
            self.receiver.capture(limit=None, timeout=None, wakeup=False)

    def of(self, task_id):
        return [event for event in self.seen if event.get("uuid") == task_id]

    def wait_for(self, kind, task_id):
        def probe():
            return next((event for event in self.of(task_id) if event["type"] == kind), None)
        try:
            return until(f"{kind} of {task_id}", probe)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; seen: {[event['type'] for event in self.of(task_id)]}") from None

    def workers(self, kind, node):
        return [event for event in self.seen if event["type"] == kind and event["hostname"] == node]

    def close(self):
        self.receiver.should_stop = True
        self.thread.join(10)


class Transport:
    def __init__(self, broker):
        self.broker = settings.server(BROKERS[broker])
        self.backend = settings.server("REDIS_URL")
        self.app = clients.app(self.broker, self.backend)

    def send(self, name, *args, queue, **options):
        return self.app.send_task(name, args, queue=queue, **options)


@pytest.fixture(params=list(BROKERS))
def either(request):
    one = Transport(request.param)
    yield one
    one.app.close()


@pytest.fixture
def ear(either):
    one = Ear(either.app)
    yield one
    one.close()


@pytest.fixture
def node(queue):
    return f"events-{queue}@test"


@pytest.fixture
def start_node(start_worker, either, queue, node):
    return lambda *words, **how: start_worker(either, queue, options=["-n", node, *words], **how)


def test_every_ending_is_told_with_the_fields_monitors_read(either, ear, start_node, node, queue, note):
    worker = start_node("-E", slots=1)
    well = either.send("tasks.add", 2, 3, queue=queue)
    done = ear.wait_for("task-succeeded", well.id)
    assert [event["type"] for event in ear.of(well.id)] == ["task-received", "task-started", "task-succeeded"]
    received = ear.of(well.id)[0]
    assert (received["name"], received["args"], received["kwargs"]) == ("tasks.add", "(2, 3)", "{}")
    assert (received["root_id"], received["parent_id"], received["retries"]) == (well.id, None, 0)
    assert done["result"] == "5.0" and 0 < done["runtime"] < 5
    assert (done["hostname"], done["pid"]) == (node, worker.pid)
    assert done["utcoffset"] == time.timezone / 3600 and abs(done["timestamp"] - time.time()) < 30
    clocks = [event["clock"] for event in ear.of(well.id)]
    assert clocks == sorted(set(clocks))

    bad = either.send("journey.retry_always", str(note), 0.0, 1, "no luck", queue=queue)
    failed = ear.wait_for("task-failed", bad.id)
    assert "no luck" in ear.wait_for("task-retried", bad.id)["exception"]
    assert failed["exception"].endswith(")") and "(" in failed["exception"]

    unknown = either.send("nobody.knows", queue=queue)
    assert ear.wait_for("task-failed", unknown.id)["exception"] == "NotRegistered('nobody.knows')"

    running = either.send("journey.gate", str(note), "long", str(note) + ".never", queue=queue)
    ear.wait_for("task-started", running.id)
    late = either.send("tasks.add", 1, 1, queue=queue, expires=1)
    waiting = either.send("tasks.add", 1, 1, queue=queue)
    waiting.revoke()
    time.sleep(1)  # `late` must have expired by the time its turn comes, but not before we have it.
    running.revoke(terminate=True, signal="KILL")
    fields = ("terminated", "signum", "expired")
    assert [ear.wait_for("task-revoked", running.id)[field] for field in fields] == [True, 9, False]
    assert [ear.wait_for("task-revoked", late.id)[field] for field in fields] == [False, None, True]
    assert [ear.wait_for("task-revoked", waiting.id)[field] for field in fields] == [False, None, False]

    state = celery.events.state.State()
    for event in list(ear.seen):
        state.event(event)
    assert state.tasks[well.id].state == "SUCCESS" and state.tasks[running.id].state == "REVOKED"
    assert state.workers[node].alive


def test_where_term_acts_as_quit_a_task_terminated_by_no_signals_name_is_sent_quit(either, ear, start_node, node, queue,
                                                                               note):
    start_node("-E", environment={"REMAP_SIGTERM": "SIGQUIT"})
    running = either.send("journey.gate", str(note), "long", str(note) + ".never", queue=queue)
    ear.wait_for("task-started", running.id)
    arguments = {"task_id": running.id, "terminate": True}
    told = either.app.control.broadcast("revoke", arguments=arguments, destination=[node], reply=True, timeout=10)
    assert told == [{node: {"ok": f"terminate: {running.id}"}}]
    assert ear.wait_for("task-revoked", running.id)["signum"] == 3


def test_a_worker_says_that_it_came_lives_and_goes(ear, start_node, node):
    worker = start_node("--heartbeat-interval", "0.2")
    until("two heartbeats", lambda: len(ear.workers("worker-heartbeat", node)) >= 2)
    [online] = ear.workers("worker-online", node)
    assert online["freq"] == 0.2 and online["active"] == 0 and online["processed"] == 0
    assert len(online["loadavg"]) == 3 and online["sw_ident"] == "taskhost" and online["sw_sys"] == "Linux"
    worker.stop()
    until("worker-offline", lambda: ear.workers("worker-offline", node))


def test_events_of_tasks_are_turned_on_and_off_by_remote_control(either, ear, start_node, node, queue):
    start_node("--without-heartbeat")

    def order(method):
        [reply] = either.app.control.broadcast(method, destination=[node], reply=True, timeout=15)
        return reply[node]

    silent = either.send("tasks.add", 1, 1, queue=queue)
    assert silent.get(timeout=30) == 2
    assert order("enable_events") == {"ok": "task events enabled"}
    assert order("enable_events") == {"ok": "task events already enabled"}
    ear.wait_for("task-succeeded", either.send("tasks.add", 1, 1, queue=queue).id)
    assert order("disable_events") == {"ok": "task events disabled"}
    assert order("disable_events") == {"ok": "task events already disabled"}
    again = either.send("tasks.add", 1, 1, queue=queue)
    assert again.get(timeout=30) == 2
    assert order("heartbeat") is None
    until("the heartbeat asked for", lambda: ear.workers("worker-heartbeat", node))
    assert ear.of(silent.id) == ear.of(again.id) == [] and ear.workers("worker-online", node) == []


def test_celery_events_dump_shows_them(either, start_node, queue, tmp_path):
    start_node("-E")
    path = tmp_path / "dump"
    with open(path, "w") as out:
        dump = subprocess.Popen([sys.executable, "-u", "-m", "celery", "-b", either.broker, "events", "--dump"],
                                stdout=out, stderr=subprocess.STDOUT)
        try:
            until("the dump to show a heartbeat", lambda: "heartbeat" in path.read_text().lower(), 30)
            task = either.send("tasks.add", 2, 3, queue=queue)
            until("the dump to show the task", lambda: any(
                task.id in line and "succeeded" in line for line in path.read_text().splitlines()))
        finally:
            dump.terminate()
            dump.wait(10)
