"""The same commands to taskhost and to a stock Celery worker that does the same work: the same replies.

Whatever differs stands in DIFFERENCES, with the reason; docs/remote-control.md tells it to users.
"""
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from lab.wait import until
from lab.worker import clean_environment

HERE = os.path.dirname(os.path.abspath(__file__))

# Every command of Celery's worker with arguments that work, and with some that don't. Names in capitals stand for ids,
# queues and files of each worker's own.
SESSION = [
    ("ping", {}),
    ("active", {}),
    ("active", {"safe": True}),
    ("dump_active", {}),
    ("reserved", {}),
    ("dump_reserved", {}),
    ("scheduled", {}),
    ("dump_schedule", {}),
    ("query_task", {"ids": ["RUNNING", "WAITING", "LATER", "nobody"]}),
    ("query_task", {"ids": "RUNNING"}),
    ("query_task", {}),
    ("registered", {}),
    ("registered", {"taskinfoitems": ["name", "rate_limit"]}),
    ("dump_tasks", {}),
    ("active_queues", {}),
    ("active_queues", {"x": 1}),
    ("stats", {}),
    ("conf", {}),
    ("dump_conf", {"with_defaults": True}),
    ("report", {}),
    ("clock", {}),
    ("memsample", {}),
    ("memdump", {"samples": 5}),
    ("objgraph", {"num": 1}),
    ("hello", {"from_node": "elsewhere@test", "revoked": ["gone"]}),
    ("hello", {"from_node": "NODE"}),
    ("hello", {}),
    ("revoked", {}),
    ("dump_revoked", {}),
    ("rate_limit", {"task_name": "tasks.add", "rate_limit": "7/m"}),
    ("registered", {}),
    ("rate_limit", {"task_name": "tasks.add", "rate_limit": None}),
    ("rate_limit", {"task_name": "no.such", "rate_limit": "7/m"}),
    ("rate_limit", {"task_name": "tasks.add", "rate_limit": "often"}),
    ("rate_limit", {"task_name": "tasks.add", "rate_limit": "7/y"}),
    ("rate_limit", {"task_name": "tasks.add"}),
    ("time_limit", {"task_name": "tasks.add", "soft": 3, "hard": 5}),
    ("time_limit", {"task_name": "tasks.add"}),
    ("time_limit", {"task_name": "no.such"}),
    ("enable_events", {}),
    ("enable_events", {}),
    ("disable_events", {}),
    ("disable_events", {}),
    ("enable_events", {"x": 1}),
    ("heartbeat", {}),
    ("add_consumer", {"queue": "OTHER"}),
    ("active_queues", {}),
    ("cancel_consumer", {"queue": "OTHER"}),
    ("active_queues", {}),
    ("cancel_consumer", {}),
    ("add_consumer", {}),
    ("autoscale", {"max": 3, "min": 1}),
    ("autoscale", {"x": 1}),
    ("pool_restart", {"reload": False}),
    ("nosuch", {}),
    ("revoke", {}),
    ("revoke", {"task_id": "WAITING"}),
    ("revoke", {"task_id": ["unknown"]}),
    ("revoked", {}),
    ("terminate", {"task_id": "unknown", "signal": "TERM"}),
    ("terminate", {"task_id": "unknown"}),
    ("revoke_by_stamped_headers", {"headers": {"tenant": ["blue"]}}),
    ("revoke_by_stamped_headers", {"headers": ["tenant=green"]}),
    ("revoke_by_stamped_headers", {"headers": {"tenant": ["red"]}, "terminate": True}),
    ("revoke", {"task_id": "RUNNING", "terminate": True, "signal": "KILL"}),
    ("pool_grow", {"n": 2}),
    ("pool_shrink", {"n": 1}),
    # The last one: Celery's worker does not survive an election of its own only (an IndexError).
    ("election", {"id": "e1", "topic": "none", "action": None}),
]


def of_both(reply, kept):
    """Lines about tasks that both have: the bundles have others as well."""
    return [line for line in reply if line.split(" ")[0] in kept]


def shape(value):
    """Names and kinds, without values."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


TASKS = {"tasks.add", "journey.mark", "journey.gate"}


def stats(reply):
    pool = {key: value for key, value in reply["pool"].items()
            if key not in ("writes", "implementation", "processes", "max-tasks-per-child")}
    broker = {key: value for key, value in reply["broker"].items() if key not in ("connect_timeout", "heartbeat")}
    return {"total": reply["total"], "keys": sorted(reply), "kinds": shape({**reply, "pool": None, "total": None}),
            "pool": pool, "broker": broker}


# method: why it is not compared as it is, and what is.
DIFFERENCES = {
    "registered": ("the bundles have more tasks than the Python app", lambda reply: of_both(reply, TASKS)),
    "dump_tasks": ("likewise", lambda reply: of_both(reply, TASKS)),
    "stats": ("the pool is another: its name, its processes (a child for each task, where prefork keeps them), no pipes "
              "of which to tell the use; the connection has other defaults (5 s to connect, heartbeat 10 s)", stats),
    "conf": ("settings are those of another program, under Celery's names where they mean the same",
             lambda reply: (isinstance(reply, dict), reply["task_acks_late"],
                            re.sub(r"//[^/]*/.*", "", reply["broker_url"]), reply["result_backend"])),
    "dump_conf": ("likewise", lambda reply: (isinstance(reply, dict), reply["enable_utc"], reply["accept_content"])),
    "report": ("it tells of another program; its lines are the same",
               lambda reply: [line.split(" -> ")[0].strip() for line in reply["ok"].splitlines() if " -> " in line]),
    "clock": ("the clocks are each worker's own", shape),
    "memsample": ("Celery needs psutil, which this client lacks", lambda reply: None),
    "memdump": ("likewise", lambda reply: reply.startswith("- rss")),
    "hello": ("the clocks are each worker's own",
              lambda reply: {**reply, "clock": "number"} if reply and "clock" in reply else reply),
    "pool_shrink": ("Celery refuses while all processes are busy, which depends on the moment; here it waits for them",
                    lambda reply: None),
    "rate_limit": ("Python names the parameter of a limit that is no number in its own words",
                   lambda reply: {key: re.sub(r"(Invalid rate limit string: ValueError)\(.*", r"\1", text)
                                  for key, text in reply.items()}),
}


# Celery's worker answers these two first and obeys them in a later turn of its loop: on a busy machine it may have been
# asked the next thing by then. Ours has obeyed when it answers, and is not waited for.
OBEYED_LATER = {"add_consumer": 2, "cancel_consumer": 1}  # queues consumed afterwards


class Side:
    """One of the two workers, and what its own names stand for."""

    def __init__(self, app, node, queue, folder):
        self.app, self.node, self.queue = app, node, queue
        folder.mkdir()
        self.note, self.gate = str(folder / "note"), str(folder / "gate")
        self.names = {"NODE": node, "QUEUE": queue, "OTHER": queue + "-other", "NOTE": self.note, "GATE": self.gate}

    def send(self, key, name, *args, **options):
        self.names[key] = self.app.send_task(name, args, queue=self.queue, **options).id

    def ask(self, method, arguments):
        replies = self.app.control.broadcast(
            method, arguments=arguments, destination=[self.node], reply=True, timeout=15, limit=1)
        assert replies, f"{self.node} has not answered {method} {arguments}"
        return replies[0][self.node]

    def told(self, method, arguments):
        """The reply, with what is this worker's own put into the names for it."""
        text = json.dumps(arguments)
        for name, value in self.names.items():
            text = text.replace(json.dumps(name), json.dumps(value))
        reply = self.ask(method, json.loads(text))
        # Errors are the same, save where a difference is about them.
        is_error = isinstance(reply, dict) and "error" in reply and method not in ("rate_limit", "pool_shrink")
        if method in DIFFERENCES and not is_error:
            reply = DIFFERENCES[method][1](reply)
        text = json.dumps(reply)
        for name, value in sorted(self.names.items(), key=lambda one: -len(one[1])):
            text = text.replace(value, name)
        return json.dumps(general(json.loads(text)), sort_keys=True, indent=1)

    def lines(self):
        if not os.path.exists(self.note):
            return []
        with open(self.note) as file:
            return file.read().splitlines()

    def work(self):
        """One task runs, one waits for its slot, one for its time."""
        self.send("LATER", "tasks.add", 1, 2, countdown=40)
        until(f"{self.node} to hold it for later", lambda: self.ask("scheduled", {}))
        self.send("RUNNING", "journey.gate", self.note, "running", self.gate)
        until(f"{self.node} to run it", lambda: self.lines() == ["running"])
        self.send("WAITING", "journey.mark", self.note, "waiting")
        until(f"{self.node} to hold the other", lambda: self.ask("reserved", {}))


def general(value, key=None):
    """Times, processes and the order of tasks are nobody's business here."""
    if key in ("time_start", "worker_pid", "eta") and value is not None:
        return key.upper()
    if isinstance(value, dict):
        return {name: general(one, name) for name, one in value.items()}
    if isinstance(value, list):
        made = [general(one) for one in value]
        are_objects = all(isinstance(one, dict) for one in made)
        return sorted(made, key=lambda one: json.dumps(one, sort_keys=True)) if are_objects else made
    return value


@pytest.fixture
def celery_worker(redis_transport, tmp_path):
    """start(node, queue): Celery's own worker, with mingle, gossip and heartbeats, as it comes."""
    started = []

    def start(node, queue):
        log = tmp_path / "celery.log"
        environment = {**clean_environment(str(tmp_path)), "BROKER": redis_transport.broker,
                       "BACKEND": redis_transport.backend, "QUEUE": queue, "PYTHONDONTWRITEBYTECODE": "1"}
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "python_worker", "worker", "-n", node, "-c", "1", "-Q", queue,
                 "-l", "DEBUG"], cwd=HERE, env=environment, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True)
        started.append(process)
        until("Celery's worker to listen",
              lambda: redis_transport.app.control.ping(destination=[node], timeout=1), 40)
        return log

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_every_command_is_answered_as_celerys_worker_answers_it(
        redis_transport, start_worker, celery_worker, queues, tmp_path):
    ours = Side(redis_transport.app, f"ours-{queues.new()}@test", queues.new(), tmp_path / "ours")
    theirs = Side(redis_transport.app, f"theirs-{queues.new()}@test", queues.new(), tmp_path / "theirs")
    worker = start_worker(redis_transport, ours.queue, slots=1, options=["-n", ours.node])
    celery_worker(theirs.node, theirs.queue)
    for side in (ours, theirs):
        side.work()
    different = []
    for step, (method, arguments) in enumerate(SESSION):
        told, expected = ours.told(method, arguments), theirs.told(method, arguments)
        if told != expected:
            different.append(f"{step}: {method} {arguments}\n--- taskhost\n{told}\n--- Celery\n{expected}")
        if method in OBEYED_LATER and arguments:
            until(f"Celery's worker to obey {method}",
                  lambda: len(theirs.ask("active_queues", {})) == OBEYED_LATER[method])
    assert not different, "\n\n".join(different)
    for side in (ours, theirs):
        with open(side.gate, "w"):
            pass
    assert redis_transport.app.control.broadcast(
        "shutdown", destination=[ours.node], reply=True, timeout=3) in ([], None)
    until("the worker to end", lambda: not worker.running)


def test_a_python_worker_with_gossip_sees_us_come_and_go(redis_transport, start_worker, celery_worker, queues):
    ours, theirs = f"ours-{queues.new()}@test", f"theirs-{queues.new()}@test"
    log = celery_worker(theirs, queues.new())
    worker = start_worker(redis_transport, queues.new(), options=["-n", ours])
    until("it to see us come", lambda: f"{ours} joined the party" in log.read_text())
    worker.stop()
    until("it to see us leave", lambda: f"{ours} left" in log.read_text())
    assert "Traceback" not in log.read_text()
