"""Writes the fixtures of this folder: what a stock Celery sends, stores and prints.

Run by hand when Celery changes: python3 -m venv v && v/bin/pip install 'celery==5.7.*' && v/bin/python capture.py
"""

import datetime
import decimal
import json
import pathlib
import random
import uuid

import celery
from celery import Celery, chain, chord, group, signature
from celery.app.task import Context
from celery.backends.base import KeyValueStoreBackend
from celery.utils.saferepr import saferepr
from dateutil.parser import isoparse

HERE = pathlib.Path(__file__).parent
random.seed(7)


def make_app(**settings):
    app = Celery("fixtures", broker="memory://", backend="cache+memory://")
    app.conf.update(task_default_queue="q", **settings)
    return app


def drain(app):
    """Everything that was sent, as it lies in the queue."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("q")
        while True:
            try:
                message = queue.get(block=False)
            except queue.Empty:
                return
            message.ack()
            properties = {
                key: value
                for key, value in message.properties.items()
                if key in ("correlation_id", "reply_to", "priority", "delivery_mode", "expiration")
            }
            yield {
                "content_type": message.content_type,
                "content_encoding": message.content_encoding,
                "properties": properties,
                "headers": json.loads(json.dumps(message.headers)),
                "body": bytes(message.body).decode() if isinstance(message.body, (bytes, memoryview)) else message.body,
            }


def messages():
    cases = []

    def case(name, send, expected, **settings):
        app = make_app(**settings)
        send(app)
        sent = list(drain(app))
        cases.append({"name": name, "message": sent[0], "expected": expected})

    def simple(app):
        app.send_task("demo.add", (2, 3), task_id="U1")

    case("send_task by name", simple, {"id": "U1", "name": "demo.add", "args": [2, 3], "kwargs": {}, "root": "U1",
         "argsrepr": "(2, 3)", "kwargsrepr": "{}", "retries": 0, "continues": False, "ignore": None, "priority": 0})

    def full(app):
        app.send_task(
            "demo.full", ["é😀", None, True, 1.0, {"k": [1]}], {"größe": 10**30}, task_id="any text at all", priority=9,
            eta=datetime.datetime(2026, 11, 23, 12, 0, 0, 5, datetime.timezone.utc),
            expires=datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc), time_limit=10, soft_time_limit=7.5,
            shadow="shown", headers={"x-user": {"a": [1, "b", None]}}, ignore_result=True, root_id="R", parent_id="P",
            group_id="G", group_index=4, retries=2)

    case("every option", full, {
        "id": "any text at all", "name": "demo.full", "args": ["é😀", None, True, 1.0, {"k": [1]}],
        "kwargs": {"größe": 10**30}, "root": "R", "parent": "P", "group": "G", "group_index": 4, "shadow": "shown",
        "eta": "2026-11-23T12:00:00.000005+00:00", "expires": "2099-01-01T00:00:00+00:00", "hard": 10, "soft": 7.5,
        "retries": 2, "ignore": True, "priority": 9, "continues": False})

    def countdown(app):
        app.send_task("demo.add", (), {"x": float("nan"), "y": float("-inf")}, task_id="U2", countdown=30)

    case("countdown, NaN and infinity", countdown, {"id": "U2", "name": "demo.add", "continues": False, "has_eta": True})

    def linked(app):
        sig = signature("demo.add", (1,), app=app, task_id="U3")
        sig.link(signature("demo.done", app=app))
        sig.link_error(signature("demo.failed", app=app))
        sig.apply_async()

    case("callbacks and errbacks", linked, {"id": "U3", "name": "demo.add", "args": [1], "continues": True})

    def chained(app):
        chain(signature("demo.add", (1, 2), app=app), signature("demo.add", (3,), app=app)).apply_async(task_id="U4")

    case("first of a chain", chained, {"name": "demo.add", "args": [1, 2], "continues": True})

    def chorded(app):
        header = [signature("demo.add", (n, n), app=app) for n in range(2)]
        # cache+memory:// joins natively, so no unlock task is sent.
        chord(header, app=app)(signature("demo.sum", app=app))

    case("member of a chord", chorded, {"name": "demo.add", "args": [0, 0], "continues": True, "group_index": 0})

    def grouped(app):
        group(signature("demo.add", (n, n), app=app) for n in range(2)).apply_async()

    case("member of a group", grouped, {"name": "demo.add", "args": [0, 0], "continues": False, "group_index": 0})

    def stamped(app):
        sig = signature("demo.add", (1, 1), app=app)
        sig.stamp(n=[1, 2])  # one only: several come in any order
        sig.apply_async(task_id="U6")

    case("stamps", stamped, {"id": "U6", "name": "demo.add", "args": [1, 1], "stamps": {"n": [1, 2]}})

    def typed(app):
        app.send_task("demo.typed", (
            datetime.datetime(2024, 1, 2, 3, 4, 5, 6), decimal.Decimal("1.10"), uuid.UUID(int=1), b"text", b"\xff\x00"),
            task_id="U7")

    case("Kombu's typed values", typed, {"id": "U7", "name": "demo.typed", "continues": False})

    case("protocol 1", simple, {"id": "U1", "name": "demo.add", "args": [2, 3], "kwargs": {}, "argsrepr": "[2, 3]",
         "kwargsrepr": "{}", "retries": 0, "continues": False, "protocol": 1}, task_protocol=1)

    def old_full(app):
        app.send_task("demo.full", (1,), {"k": "v"}, task_id="U8", group_id="G", retries=1, time_limit=5,
                      eta=datetime.datetime(2026, 11, 23, 12, 0, 0, 5, datetime.timezone.utc))

    case("protocol 1 with options", old_full, {
        "id": "U8", "name": "demo.full", "args": [1], "kwargs": {"k": "v"}, "group": "G", "retries": 1, "hard": 5,
        "eta": "2026-11-23T12:00:00.000005+00:00", "protocol": 1}, task_protocol=1)
    return cases


def reprs():
    values = [
        None, True, 0, -5, 10**30, 1.0, 0.1, 1e16, 1.2e16, -1.234e16, 1e15, 9007199254740993.0, 1.8e16, 2e16, 1e22, 1e-5, 0.0001,
        float("nan"), float("inf"), float("-inf"), "", "it's", 'a"b', "two\nlines", "back\\slash", "é😀", [], {}, [[]], [1], [1, [2, [3, [4]]]],
        {"a": {"b": {"c": {"d": 1}}}}, {"k": [1, {"x": []}]}, [[[[]]]], "word " * 300, "x" * 1023, "x" * 1024, "x" * 3000,
        list(range(400)), [["y" * 1018]], ["y" * 1017, 2], ["y" * 1030], [["z" * 700, "w" * 700], 3], {"k" * 600: "v" * 600, "l": 1},
        {str(n): n for n in range(300)}, [[n] for n in range(400)], ["a b c " * 200, [1, 2], {"x": 1}],
    ]

    def arbitrary(depth):
        kind = random.randrange(8 if depth else 5)
        if kind == 0:
            return random.choice([None, True, False])
        if kind == 1:
            return random.randrange(-10**random.randrange(1, 22), 10**random.randrange(1, 22))
        if kind == 2:
            return random.uniform(-1, 1) * 10 ** random.randrange(-8, 20)
        if kind in (3, 4):
            return "".join(random.choice("ab c'\"é😀\\\n") for _ in range(random.randrange(0, 60)))
        if kind in (5, 6):
            return [arbitrary(depth - 1) for _ in range(random.randrange(0, 8))]
        return {"".join(random.choice("abc' ") for _ in range(9)): arbitrary(depth - 1) for _ in range(random.randrange(0, 6))}

    values += [arbitrary(4) for _ in range(80)]
    cases = [{"value": value, "repr": saferepr(value, 1024)} for value in values]
    cases += [{"value": value, "max": 40, "repr": saferepr(value, 40)} for value in values]
    cases += [{"value": list(value), "tuple": True, "repr": saferepr(value, 1024)} for value in [(), (1,), (2, 3), ("it's", [1])]]
    return cases


def times():
    texts = [
        "2026-11-22T19:50:57.439791+00:00", "2026-11-22T19:50:57Z", "2026-11-22 19:50", "20261122T195057", "2026-11-22T19",
        "2026-11", "2026", "2026-W47-7", "2026W477T10", "2026-11-22T24:00", "2026-11-22T19:50:57,5", "2026-11-22T19:50+05:30",
        "2026-11-22T19:50-0530", "2026-11-22T19:50-05", "1999-12-31T23:59:59.123456789Z", "2024-02-29",
    ]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    cases = []
    for text in texts:
        when = isoparse(text)
        when = when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)
        cases.append({"text": text, "microseconds": (when - epoch) // datetime.timedelta(microseconds=1)})
    return cases


def metas():
    """What the key-value backends store, for the same requests the Swift test makes."""
    cases = []
    app = make_app()
    extended = make_app(result_extended=True)

    def case(name, state, result, traceback=None, extend=False, **request):
        backend = (extended if extend else app).backend
        context = Context({"id": "U1", "task": "demo.add", "args": [2, 3], "kwargs": {}, "hostname": "w@h", "retries": 1,
                           "delivery_info": {"routing_key": "q"}, **request})
        if isinstance(result, Exception):
            result = backend.prepare_exception(result, "json")
        meta = backend._get_result_meta(result=result, state=state, traceback=traceback, request=context)
        meta["task_id"] = "U1"
        # The time is the one thing that differs from run to run.
        if meta["date_done"]:
            meta["date_done"] = "2026-11-23T12:00:00+00:00"
        cases.append({"name": name, "request": request, "text": backend.encode(meta)})

    from celery.exceptions import NotRegistered, Reject, TaskRevokedError
    from billiard.exceptions import TimeLimitExceeded, WorkerLostError

    case("success", "SUCCESS", 5)
    case("success in a group", "SUCCESS", [1.0, None, "é"], group="G", parent_id="P")
    case("failure", "FAILURE", ValueError("bad", 7), traceback="Traceback …")
    case("retry", "RETRY", KeyError("nope"), traceback="tb")
    case("retry without cause", "RETRY", None)
    case("started", "STARTED", {"pid": 7, "hostname": "w@h"})
    case("custom", "PROGRESS", {"done": 1, "total": 3})
    case("expired", "REVOKED", TaskRevokedError("expired"))
    case("unregistered", "FAILURE", NotRegistered("demo.add"))
    case("hard limit", "FAILURE", TimeLimitExceeded(1))
    case("worker lost", "FAILURE", WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 5."))
    case("rejected", "FAILURE", Reject("no", False))
    case("extended", "SUCCESS", 5, extend=True)
    case("extended with stamps", "SUCCESS", 5, extend=True, stamped_headers=["on", "n"], stamps={"on": "abc", "n": [1, 2]})
    return cases


def main():
    for name, make in [("messages", messages), ("reprs", reprs), ("times", times), ("metas", metas)]:
        content = {"celery": celery.__version__, "cases": make()}
        (HERE / f"{name}.json").write_text(json.dumps(content, indent=1 if name != "reprs" else None) + "\n")
        print(name, len(content["cases"]))


if __name__ == "__main__":
    main()
