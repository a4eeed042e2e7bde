"""Records what a real Celery worker answers to remote control, into replies.json beside this file.

    Tests/Support/with-servers .venv/bin/python Tests/ControlTests/Fixtures/capture.py

One worker, w1@test, with two slots and five tasks in its hands: two active, one reserved, one scheduled, one done.
Every step is a request body as it was published and the reply as it arrived; ids are made up, so that they can be
written into expectations.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import kombu
from celery import Celery

HERE = os.path.dirname(os.path.abspath(__file__))
BROKER = os.environ["TASKHOST_TEST_AMQP_URL"]
NODE = "w1@test"

app = Celery("capture", broker=BROKER, backend=os.environ["TASKHOST_TEST_REDIS_URL"])
app.conf.update(broker_connection_retry_on_startup=True, worker_redirect_stdouts=False)


@app.task(name="demo.nap")
def nap(seconds, note=None):
    time.sleep(seconds)


@app.task(name="demo.add", rate_limit="10/m")
def add(x, y):
    return x + y


def rounded(value):
    """Times in whole microseconds, which is what our clocks tell."""
    if isinstance(value.get("time_start"), float):
        value["time_start"] = round(value["time_start"], 6)
    return value


class Prober:
    """Publishes raw requests and takes their replies, as kombu's mailbox does."""

    def __init__(self):
        self.connection = kombu.Connection(BROKER)
        self.channel = self.connection.channel()
        self.requests = kombu.Exchange("celery.pidbox", "fanout", durable=False, channel=self.channel)
        replies = kombu.Exchange("reply.celery.pidbox", "direct", durable=False, channel=self.channel)
        self.queue = kombu.Queue("probe.reply.celery.pidbox", replies, "probe", channel=self.channel, exclusive=True,
                                 auto_delete=True, durable=False)
        self.queue.declare()
        self.producer = kombu.Producer(self.channel, self.requests, serializer="json")
        self.steps = []

    def ask(self, name, method, wanted=True, timeout=5, **arguments):
        return self.raw(name, {"method": method, "arguments": arguments, "destination": None, "pattern": None,
                               "matcher": None}, wanted, timeout)

    def raw(self, name, body, wanted=True, timeout=5):
        ticket = f"ticket-{len(self.steps)}"
        body = dict(body, ticket=ticket, reply_to={"exchange": "reply.celery.pidbox", "routing_key": "probe"})
        self.producer.publish(body, headers={"clock": 1, "expires": time.time() + 10})
        deadline = time.monotonic() + (timeout if wanted else 1)
        message = None
        while message is None and time.monotonic() < deadline:
            message = self.queue.get(no_ack=True)
            if message is None:
                time.sleep(0.02)
        if wanted and message is None:
            sys.exit(f"no reply to {name}")
        step = {"name": name, "request": body, "reply": None}
        if message is not None:
            headers = dict(message.headers)
            headers.pop("clock")
            step["reply"] = {"headers": headers, "body": json.loads(message.body, object_hook=rounded),
                             "properties": {key: message.properties.get(key) for key in ("delivery_mode", "priority")}
                             | {"content_type": message.content_type, "content_encoding": message.content_encoding}}
        self.steps.append(step)
        return step["reply"] and step["reply"]["body"]


def wait(what, condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.1)
    sys.exit(f"waited too long for {what}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = open(os.path.join(folder, "log"), "w+")
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "capture", "worker", "-n", NODE, "-c", "2", "-l", "info",
             "--without-gossip", "--without-mingle"], cwd=HERE, stdout=log, stderr=subprocess.STDOUT,
            env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
        try:
            wait("the worker", lambda: app.control.inspect(timeout=1).ping())
            steps = record(app)
        finally:
            worker.terminate()
            worker.wait()
    with open(os.path.join(HERE, "replies.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(step) for step in steps) + "\n]\n")


def record(app):
    prober = Prober()
    app.send_task("demo.add", (2, 3), task_id="id-done").get(timeout=10)
    app.send_task("demo.nap", (600,), task_id="id-active-1", priority=3)
    app.send_task("demo.nap", (600,), {"note": "it's"}, task_id="id-active-2")
    wait("two active", lambda: len(app.control.inspect(timeout=1).active()[NODE]) == 2)
    app.send_task("demo.nap", (1,), task_id="id-reserved")
    app.send_task("demo.add", (1.5, 2), task_id="id-scheduled", eta="2040-01-02T03:04:05.000006+00:00")
    wait("one reserved", lambda: app.control.inspect(timeout=1).reserved()[NODE])
    wait("one scheduled", lambda: app.control.inspect(timeout=1).scheduled()[NODE])
    ask = prober.ask
    ask("ping", "ping")
    ask("ping with unknown argument", "ping", colour="red")
    for method in ("active", "reserved", "scheduled", "revoked", "registered", "active_queues", "stats"):
        ask(method, method)
    ask("active, safe", "active", safe=True)
    ask("dump_active", "dump_active")
    ask("registered, other items", "registered", taskinfoitems=["name", "max_retries", "_x"])
    ask("query_task, list", "query_task", ids=["id-active-1", "id-reserved", "id-scheduled", "id-nobody"])
    ask("query_task, one", "query_task", ids="id-active-2")
    ask("query_task without ids", "query_task")
    ask("clock", "clock")
    ask("hello from another", "hello", from_node="w2@test", revoked=["id-old"])
    ask("hello from itself", "hello", from_node=NODE, revoked=None)
    ask("unknown method", "nosuchcommand")
    ask("active_queues with argument", "active_queues", safe=True)
    ask("enable_events with argument", "enable_events", x=1)
    ask("revoke, one", "revoke", task_id="id-r1")
    ask("revoke, list of one", "revoke", task_id=["id-r2"])
    ask("revoke, none", "revoke", task_id=[])
    ask("revoke without id", "revoke")
    ask("revoke, terminate unknown", "revoke", task_id="id-r3", terminate=True)
    ask("revoked after", "revoked")
    ask("revoke, bad signal", "revoke", task_id="id-active-1", terminate=True, signal="term")
    ask("revoke, unknown signal", "revoke", task_id="id-active-1", terminate=True, signal="NOPE")
    ask("stamps", "revoke_by_stamped_headers", headers={"on": ["abc"], "n": 7})
    ask("stamps, list", "revoke_by_stamped_headers", headers=["k=v"])
    ask("stamps, terminate none", "revoke_by_stamped_headers", headers={"on": ["abc"]}, terminate=True)
    ask("rate_limit", "rate_limit", task_name="demo.add", rate_limit="20/m")
    ask("registered after rate_limit", "registered")
    ask("rate_limit off", "rate_limit", task_name="demo.add", rate_limit=None)
    ask("rate_limit zero", "rate_limit", task_name="demo.add", rate_limit=0)
    ask("rate_limit, unknown task", "rate_limit", task_name="demo.none", rate_limit="1/s")
    ask("rate_limit, bad", "rate_limit", task_name="demo.add", rate_limit="x/s")
    ask("rate_limit, bad unit", "rate_limit", task_name="demo.add", rate_limit="5/z")
    ask("rate_limit, missing", "rate_limit", task_name="demo.add")
    ask("time_limit", "time_limit", task_name="demo.add", soft=5, hard=10.5)
    ask("time_limit, unknown task", "time_limit", task_name="demo.none", soft=5)
    ask("add_consumer", "add_consumer", queue="q2")
    wait("the queue", lambda: len(app.control.inspect(timeout=1).active_queues()[NODE]) == 2)
    ask("active_queues after", "active_queues")
    ask("cancel_consumer", "cancel_consumer", queue="q2")
    ask("cancel_consumer, unknown", "cancel_consumer", queue="q77")
    ask("autoscale", "autoscale", max=3, min=1)
    ask("pool_restart", "pool_restart")
    plain = {"method": "ping", "arguments": {}, "destination": None, "pattern": None, "matcher": None}
    prober.raw("to it", dict(plain, destination=[NODE]))
    prober.raw("to another", dict(plain, destination=["w2@test"]), wanted=False)
    prober.raw("by glob", dict(plain, pattern="w[13]@*", matcher="glob"))
    prober.raw("by another glob", dict(plain, pattern="w2@*", matcher="glob"), wanted=False)
    prober.raw("by regex", dict(plain, pattern=r"w\d+@", matcher="pcre"))
    prober.raw("by another regex", dict(plain, pattern=r"\d@test", matcher="pcre"), wanted=False)
    prober.raw("no such matcher", dict(plain, pattern="*", matcher="soundex"), wanted=False)
    prober.raw("pattern without matcher", dict(plain, pattern="w2@*"))
    ask("terminate", "terminate", signal="KILL", task_id=["id-active-1"])
    ask("revoke and terminate", "revoke", task_id="id-active-2", terminate=True)
    ask("shutdown", "shutdown", wanted=False)
    return prober.steps


if __name__ == "__main__":
    main()
