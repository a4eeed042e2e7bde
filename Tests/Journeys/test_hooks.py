"""Hooks: commands, POSTs and tasks that are told of failures, retries, crashes and dead letters."""
import hashlib
import hmac
import http.server
import json
import os
import signal
import sys
import threading

import billiard.exceptions
import pytest
from lab import processes
from lab.wait import until

RECORDER = """#!{python}
import json, os, sys
told = {{"event": json.load(sys.stdin), "variables": {{k: v for k, v in os.environ.items() if k.startswith("TASKHOST")}},
        "others": sorted(k for k in os.environ if not k.startswith("TASKHOST"))}}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
"""


@pytest.fixture
def recorder(tmp_path):
    """A program that writes what it is told into the file it is given; `told()` reads it."""
    program = tmp_path / "recorder"
    program.write_text(RECORDER.format(python=sys.executable))
    program.chmod(0o755)
    record = tmp_path / "told"
    return Recorder(program, record)


class Recorder:
    def __init__(self, program, record):
        self.program, self.record = program, record
        self.command = json.dumps([str(program), str(record)])

    def told(self, count, seconds=20):
        def lines():
            texts = self.record.read_text().splitlines() if self.record.exists() else []
            return [json.loads(text) for text in texts]
        until(f"{count} events", lambda: len(lines()) >= count, seconds)
        return lines()


@pytest.fixture
def hooked(tmp_path, start_worker, queue, redis_transport):
    """hooked("[hooks.x] …"): a worker with these hooks; its queue and its transport."""
    def start(text, **how):
        config = tmp_path / "hooks.toml"
        config.write_text(text)
        how.setdefault("options", [])
        how["options"] = how["options"] + ["--config", str(config)]
        return start_worker(redis_transport, queue, **how)
    return start


def fails(transport, name, *args, queue):
    sent = transport.send(name, *args, queue=queue)
    with pytest.raises(Exception):
        sent.get(timeout=20)
    return sent.id


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what is posted to it; answers with the statuses given, the last one for ever."""

    def __init__(self, statuses=(204,)):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses, self.posts = list(statuses), []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/told"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((dict(self.headers), body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    made = []

    def start(*statuses):
        made.append(Receiver(statuses or (204,)))
        return made[-1]
    yield start
    for one in made:
        one.shutdown()
        one.server_close()


def test_a_command_is_told_of_failure_retry_crash_and_dead_letter(hooked, recorder, redis_transport, queue, note):
    worker = hooked(f'[hooks.record]\non = ["failure", "retry", "crash", "dead_letter"]\ncommand = {recorder.command}\n',
                    environment={"SECRET_OF_OURS": "x"})
    failed = fails(redis_transport, "journey.echo", queue=queue)
    [first] = recorder.told(1)
    event = first["event"]
    assert (event["event"], event["task"]["id"], event["task"]["name"]) == ("failure", failed, "journey.echo")
    assert event["exception"]["type"] == "TypeError" and json.loads(event["exception"]["arguments"])
    assert first["variables"]["TASKHOST_EVENT"] == "failure" and first["variables"]["TASKHOST_TASK_ID"] == failed
    assert first["variables"]["TASKHOST_HOOK"] == "record" and "SECRET_OF_OURS" not in first["others"]
    # The result is there before anybody is told.
    assert redis_transport.app.backend.get_state(failed) == "FAILURE"

    redis_transport.send("journey.retry_until", 1, 0.05, queue=queue).get(timeout=20)
    assert recorder.told(2)[1]["event"]["event"] == "retry" and recorder.told(2)[1]["event"]["countdown"] == 0.05

    sent = redis_transport.send("journey.speak_and_crash", "last words", queue=queue)
    with pytest.raises(billiard.exceptions.WorkerLostError):
        sent.get(timeout=20)
    events = [one["event"] for one in recorder.told(5)[2:]]
    assert [one["event"] for one in events] == ["crash", "failure", "dead_letter"]
    crash, failure, buried = events
    assert crash["cause"] == "signal 11 (SIGSEGV)" and any("raise_at" in line for line in crash["stack"])
    assert crash["starts"] == crash["max_starts"] == 1 and crash["task"]["id"] == sent.id
    assert "raise_at" in failure["exception"]["traceback"] and buried["reason"]
    assert worker.running


def test_a_post_is_signed_and_tried_again(hooked, receiver, redis_transport, queue, tmp_path, note):
    (tmp_path / "secret").write_text("hunter2\n")
    there = receiver(503, 204)
    hooked(f'[hooks.chat]\non = ["failure", "crash", "retry", "dead_letter"]\nurl = "{there.url}"\n'
           f'secret_file = "{tmp_path}/secret"\n')
    failed = fails(redis_transport, "journey.echo", queue=queue)
    until("a second attempt", lambda: len(there.posts) == 2)
    (headers, body), (again, same) = there.posts
    assert body == same and headers["X-Taskhost-Delivery"] == again["X-Taskhost-Delivery"]
    signed = headers["X-Taskhost-Timestamp"].encode() + b"." + body
    expected = "sha256=" + hmac.new(b"hunter2", signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(headers["X-Taskhost-Signature"], expected)
    assert headers["Content-Type"] == "application/json" and headers["X-Taskhost-Event"] == "failure"
    assert json.loads(body)["task"]["id"] == failed

    redis_transport.send("journey.retry_until", 1, 0.05, queue=queue).get(timeout=20)
    fails(redis_transport, "journey.speak_and_crash", "x", queue=queue)
    until("all to be told", lambda: len(there.posts) == 6)
    told = [json.loads(body)["event"] for _, body in there.posts[2:]]
    assert told == ["retry", "crash", "failure", "dead_letter"]


def test_a_post_that_is_refused_is_not_tried_again(hooked, receiver, redis_transport, queue):
    there = receiver(404)
    worker = hooked(f'[hooks.chat]\non = ["failure"]\nurl = "{there.url}"\n')
    fails(redis_transport, "journey.echo", queue=queue)
    worker.wait_for_log("hook chat", "answered 404")
    assert len(there.posts) == 1 and "X-Taskhost-Signature" not in there.posts[0][0]


def test_a_task_is_sent_with_the_event(hooked, redis_transport, queue, queues):
    target = queues.new()
    worker = hooked(f'[hooks.clean]\non = ["failure", "retry", "crash", "dead_letter"]\ntask = "orders.cancel"\n'
                    f'queue = "{target}"\n')
    failed = fails(redis_transport, "journey.echo", queue=queue)
    redis_transport.send("journey.retry_until", 1, 0.05, queue=queue).get(timeout=20)
    fails(redis_transport, "journey.speak_and_crash", "x", queue=queue)
    messages = [until("a message", lambda: queues.get(target)) for _ in range(5)]
    events = [json.loads(message.body)[0][0] for message in messages]
    assert [one["event"] for one in events] == ["failure", "retry", "crash", "failure", "dead_letter"]
    assert events[0]["task"]["id"] == failed and messages[0].headers["task"] == "orders.cancel"
    assert worker.running


def test_a_failing_task_of_a_hook_does_not_feed_the_hook(hooked, redis_transport, queue, queues):
    worker = hooked(f'[hooks.clean]\non = ["failure"]\ntask = "journey.echo"\nqueue = "{queue}"\n')
    fails(redis_transport, "journey.echo", queue=queue)
    worker.wait_for("the hook's task to fail", lambda: len(failures(worker)) == 2)
    queues.wait_until_empty(queue)
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=30) == 10
    assert len(failures(worker)) == 2


def failures(worker):
    return [line for line in worker.log() if line.get("task") == "journey.echo" and line["level"] == "error"]


def test_only_the_tasks_meant_are_told_of(hooked, recorder, redis_transport, queue):
    hooked(f'[hooks.record]\non = ["success", "failure"]\ntasks = ["tasks.*"]\ncommand = {recorder.command}\n')
    fails(redis_transport, "journey.echo", queue=queue)
    done = redis_transport.send("tasks.add", 4, 6, queue=queue)
    done.get(timeout=30)
    [told] = recorder.told(1)
    assert (told["event"]["event"], told["event"]["task"]["id"]) == ("success", done.id)


def test_a_hook_that_hangs_costs_nothing_else(hooked, recorder, receiver, redis_transport, queue, tmp_path):
    pids = tmp_path / "pids"
    worker = hooked(f"""
        [hooks.hangs]
        on = ["failure"]
        command = ["sh", "-c", "sleep 600 & echo $! >> {pids}; wait"]
        timeout = 1
        [hooks.fails]
        on = ["failure"]
        command = ["sh", "-c", "echo it broke >&2; exit 3"]
        [hooks.nobody]
        on = ["failure"]
        url = "http://127.0.0.1:1/"
        [hooks.record]
        on = ["failure"]
        command = {recorder.command}
        """, options=["--metrics-port", "0"])
    for _ in range(3):
        fails(redis_transport, "journey.echo", queue=queue)
    assert len(recorder.told(3)) == 3
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=30) == 10
    worker.wait_for_log("hook fails", "ended with status 3: it broke")
    worker.wait_for_log("hook hangs", "killed")
    [first] = pids.read_text().split()[:1]
    until("what it started to be gone", lambda: not processes.alive(int(first)))
    assert worker.stop() == 0, "the end of a worker does not wait for hooks for ever"
    until("nothing to be left", lambda: not any(processes.alive(int(pid)) for pid in pids.read_text().split()))


def test_a_crash_of_a_bundle_leaves_running_hooks_alone(hooked, redis_transport, queue, tmp_path, gate):
    """A zygote that dies is swept up after; a command of ours is nobody's leftover."""
    done = tmp_path / "done"
    worker = hooked(f"""
        [hooks.slow]
        on = ["failure"]
        tasks = ["journey.echo"]
        command = ["sh", "-c", "touch {done}.begun; while ! test -e {gate.path}; do sleep 0.02; done; touch {done}"]
        """)
    fails(redis_transport, "journey.echo", queue=queue)
    until("the command to run", lambda: os.path.exists(f"{done}.begun"))
    for pid in processes.zygotes(worker.pid):
        os.kill(pid, signal.SIGKILL)
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=20) == 10
    gate.open()
    until("the command to end well", done.exists)


@pytest.mark.parametrize("text, words", [
    ('on = ["failure"]', ["one of command, url and task"]),
    ('command = ["true"]', ['on = ["failure"']),
    ('on = ["failures"]\ncommand = ["true"]', ["did you mean `failure`?", "hooks.toml:2:1"]),
    ('on = ["failure"]\ncommand = ["/not/there"]', ["/not/there", "not executable"]),
    ('on = ["failure"]\nurl = "https://127.0.0.1/"\nsecret_file = "/not/there"', ["/not/there", "cannot be read"]),
    ('on = ["failure"]\nurl = "ftp://127.0.0.1/"', ["http://"]),
    ('on = ["failure"]\ntask = "a.b"\ntimeout = 3', ["timeout means nothing"]),
])
def test_a_wrong_hook_is_named(taskhost, tmp_path, start_worker, embedded, queue, text, words):
    (tmp_path / "hooks.toml").write_text(f"[hooks.wrong]\n{text}\n")
    worker = start_worker(embedded, queue, options=["--config", str(tmp_path / "hooks.toml")], wait=False)
    assert worker.wait() == 78
    said = worker.tail()
    assert all(word in said for word in words), said
