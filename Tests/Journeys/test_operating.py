"""Our own command line for operating: inspect, control, status; over every broker."""
import urllib.request

import pytest
import redis
from conftest import Embedded
from lab import settings
from lab.wait import until
from test_metrics import get

UNAVAILABLE = 69


class Address:
    def __init__(self, broker, backend):
        self.broker, self.backend = broker, backend


@pytest.fixture(params=["rabbitmq", "redis", "embedded", "postgresql"])
def fleet(request, taskhost, tmp_path, start_worker, queue):
    """One worker of a name of its own, and the command line to it."""
    where = {"rabbitmq": lambda: Address(settings.server("AMQP_URL"), "rpc://"),
             "redis": lambda: Address(settings.server("REDIS_URL"), settings.server("REDIS_URL")),
             "embedded": lambda: Embedded(tmp_path, taskhost),
             "postgresql": lambda: request.getfixturevalue("database")}[request.param]()
    return Fleet(where, taskhost, start_worker, queue)


class Fleet:
    def __init__(self, where, taskhost, start_worker, queue):
        self.where, self.taskhost, self.queue = where, taskhost, queue
        self.node = f"operated-{queue}@test"
        self.worker = start_worker(where, queue, options=["-n", self.node, "--metrics-port", "0"], slots=2)

    def run(self, *words):
        return self.taskhost(*words, "-b", self.where.broker, "-d", self.node, "-t", "10")

    def metrics(self):
        [told] = self.worker.events("metrics")
        with urllib.request.urlopen(f"http://127.0.0.1:{told['port']}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def call(self, name, *args):
        return self.taskhost("call", name, *args, "-b", self.where.broker, "--result-backend", "none", "-Q", self.queue,
                             "--json").json["id"]


def test_inspect_shows_replies_as_celery_does(fleet):
    shown = fleet.run("inspect", "ping").expect(0).out.splitlines()
    assert shown == [f"->  {fleet.node}: OK", "    pong", "", "1 node online."]
    assert fleet.run("inspect", "active").expect(0).out.splitlines() == [f"->  {fleet.node}: OK", "    - empty -"]
    assert "    * tasks.add" in fleet.run("inspect", "registered").expect(0).out.splitlines()
    assert fleet.run("inspect", "stats", "--json").expect(0).json[fleet.node]["pool"]["max-concurrency"] == 2


def test_control_changes_and_says_so(fleet):
    changed = fleet.run("control", "rate_limit", "tasks.add", "7/m").expect(0).out
    assert changed == f"->  {fleet.node}: OK\n    new rate limit set successfully\n"
    assert "tasks.add [rate_limit=7/m]" in fleet.run("inspect", "registered").out
    refused = fleet.run("control", "time_limit", "no.such", "3").expect(1).out
    assert refused == f"->  {fleet.node}: ERROR\n    unknown task\n"


def test_a_queue_is_paused_and_resumed(fleet, note):
    fleet.run("control", "cancel_consumer", fleet.queue).expect(0)
    until("the queue to be left", lambda: fleet.run("inspect", "active_queues", "--json").json == {fleet.node: []})
    fleet.call("journey.mark", str(note), "once")
    assert note.lines == []
    fleet.run("control", "add_consumer", fleet.queue).expect(0)
    until("the task to run", lambda: note.lines == ["once"])


def test_a_paused_queue_gives_back_what_has_not_begun_and_takes_nothing(fleet, start_worker, note, gate):
    calls = {fleet.call("journey.gate", str(note), f"task-{number}", gate.path): number for number in range(6)}
    until("two to run", lambda: len(note.lines) == 2)
    until("others to wait in its hands", lambda: fleet.run("inspect", "reserved", "--json").json[fleet.node])
    done = fleet.run("control", "pause_queue", fleet.queue, "--json").expect(0).json
    assert done == {fleet.node: {"ok": f"paused {fleet.queue}"}}

    told = fleet.run("status", "--json").json[fleet.node]
    assert (told["paused"], told["busy"], told["waiting"]) == ([fleet.queue], 2, 0)
    assert f"{fleet.queue}(paused)" in fleet.run("status").out
    [described] = fleet.run("inspect", "active_queues", "--json").json[fleet.node]
    assert described["name"] == fleet.queue and described["paused"] is True
    until("the metric", lambda: f'taskhost_queue_paused{{queue="{fleet.queue}"}} 1' in fleet.metrics())
    # Another worker has them at once: they are back in the queue.
    start_worker(fleet.where, fleet.queue, slots=4)
    until("the others to run", lambda: len(note.lines) == 6)
    gate.open()
    until("all to end", lambda: sum(line.endswith(" done") for line in note.lines) == 6)
    assert sorted(line for line in note.lines if "done" not in line) == [f"task-{number}" for number in range(6)]
    assert fleet.run("status", "--json").json[fleet.node]["started"] == 2
    fleet.run("control", "resume_queue", fleet.queue).expect(0)
    until("the metric", lambda: f'taskhost_queue_paused{{queue="{fleet.queue}"}} 0' in fleet.metrics())
    assert fleet.run("status", "--json").json[fleet.node]["paused"] == [] and len(calls) == 6


def test_status_tells_version_slots_queues_and_what_runs(fleet, note, gate):
    running = fleet.call("journey.gate", str(note), "first", gate.path)
    until("it to run", lambda: note.lines == ["first"])
    told = fleet.run("status", "--json").expect(0).json[fleet.node]
    assert (told["slots"], told["busy"], told["queues"]) == (2, 1, [fleet.queue])
    assert told["version"].startswith("taskhost ") and told["uptime"] >= 0 and told["started"] == 1
    [task] = told["running"]
    assert task["id"] == running and task["age"] >= 0 and task["name"] == "journey.gate"
    shown = fleet.run("status").expect(0).out
    assert fleet.node in shown and "1/2" in shown and running in shown
    gate.open()


def test_shutdown_ends_the_worker_though_nobody_answers(fleet):
    fleet.taskhost("control", "shutdown", "-b", fleet.where.broker, "-d", fleet.node, "-t", "0.2").expect(0)
    until("the worker to end", lambda: not fleet.worker.running)


def test_shutdown_is_a_warm_stop_told_like_any_other(fleet, note, gate):
    fleet.call("journey.gate", str(note), "first", gate.path)
    until("it to run", lambda: note.lines == ["first"])
    fleet.taskhost("control", "shutdown", "-b", fleet.where.broker, "-d", fleet.node, "-t", "0.2").expect(0)
    until("the stop to be told", lambda: fleet.worker.events("stopping"))
    assert [one["kind"] for one in fleet.worker.events("stopping")] == ["warm"]
    assert get(int(fleet.worker.events("metrics")[0]["port"]), "/readyz") == (503, "stopping\n")
    gate.open()
    assert fleet.worker.wait() == 0
    assert note.lines == ["first", "first done"]


def test_a_task_that_outlasts_the_grace_period_is_named_and_is_back_in_its_queue(start_worker, fleet, note, gate):
    queue = fleet.queue + "-stop"
    worker = start_worker(fleet.where, queue, options=["-n", f"stopped-{queue}@test"], slots=1, grace=0.5)
    running = fleet.taskhost("call", "journey.gate", str(note), "first", gate.path, "-b", fleet.where.broker,
                             "--result-backend", "none", "-Q", queue, "--json").json["id"]
    until("it to run", lambda: note.lines == ["first"])
    assert worker.stop() == 0
    assert worker.said(running, "was killed by the stop; requeued")
    # Another one has it at once: no lease and no visibility time-out is waited for.
    left = fleet.taskhost("purge", queue, "--force", "-b", fleet.where.broker, "--json").json
    assert left == {queue: 1}


def test_nobody_there_is_an_exit_status_of_its_own(fleet):
    for words in (["status"], ["inspect", "ping"], ["control", "enable_events"]):
        done = fleet.taskhost(*words, "-b", fleet.where.broker, "-d", "no@where", "-t", "0.2").expect(UNAVAILABLE)
        assert "no@where" in done.err and "fix:" in done.err


def test_workers_of_one_name_are_pointed_out(start_worker, taskhost, queue):
    url = settings.server("REDIS_URL")
    node = f"twin-{queue}@test"
    for _ in range(2):
        start_worker(Address(url, url), queue, options=["-n", node])
    # Without -d: with it, one reply of each name is all that is waited for.
    shown = taskhost("inspect", "ping", "-b", url, "-t", "3").expect(0)
    assert shown.out.count(f"->  {node}: OK") == 2 and f"several workers are called {node}" in shown.err
    assert taskhost("inspect", "ping", "--json", "-b", url, "-t", "3").expect(0).json[node] == {"ok": "pong"}


def test_replies_leave_nothing_at_redis(start_worker, taskhost, queue):
    url = settings.server("REDIS_URL")
    node = f"operated-{queue}@test"
    start_worker(Address(url, url), queue, options=["-n", node])
    store = redis.Redis.from_url(url)

    def ask():
        taskhost("inspect", "ping", "-b", url, "-d", node, "-t", "10").expect(0)
    ask()
    # The worker's own mailbox, for greetings, is there for half a minute.
    before = store.smembers("_kombu.binding.reply.celery.pidbox")
    ask()
    assert store.smembers("_kombu.binding.reply.celery.pidbox") <= before
    assert not store.keys("[0-9a-f]*.reply.celery.pidbox")


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_queue_stays_paused_when_its_worker_starts_again(redis_transport, start_worker, taskhost, queues, note,
                                                           tmp_path, how):
    paused, other, left = (queues.new() for _ in range(3))
    state = tmp_path / "worker.state"
    node = f"kept-{paused}@test"
    worker = start_worker(redis_transport, f"{paused},{other},{left}", options=["-n", node, "--statedb", str(state)])
    for queue in (paused, left):
        assert f"paused {queue}" in taskhost("control", "pause_queue", queue, "--local").expect(0).out
    until("both to be kept", lambda: paused in state.read_text() and left in state.read_text())
    if how == "stopped":
        assert worker.stop() == 0
    else:
        worker.process.kill()
        until("the worker to be gone", lambda: not worker.running)

    task = redis_transport.send("journey.mark", str(note), "later", queue=paused)
    worker.words[worker.words.index("-Q") + 1] = f"{paused},{other}"
    worker.start()
    worker.wait_for_log(f"Queue {paused} is still paused")
    worker.wait_for_log(f"Queue {left} was paused before the restart", "forgotten")
    assert left not in state.read_text()
    assert redis_transport.send("journey.mark", str(note), "now", queue=other).get(timeout=30) == "now"
    assert queues.ready(paused) == 1 and note.lines == ["now"]
    described = {one["name"]: one.get("paused") for one in
                 taskhost("inspect", "active_queues", "--local", "--json").expect(0).json[node]}
    assert described == {paused: True, other: None}
    assert taskhost("status", "--local", "--json").expect(0).json[node]["paused"] == [paused]

    taskhost("control", "resume_queue", paused, "--local").expect(0)
    assert task.get(timeout=30) == "later" and note.lines == ["now", "later"]
    until("the pause to be forgotten", lambda: paused not in state.read_text())
