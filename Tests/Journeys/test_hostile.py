"""Messages no Celery client sends: each is settled as docs/wire.md says, and none harms the host."""
import pytest

EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
BODY = [[4, 6], {}, EMBED]
HEADERS = {"lang": "py", "task": "tasks.add", "id": "hostile-1"}


def deep(levels):
    return "[" * levels + "]" * levels


# name: (body, headers, properties)
HOSTILE = {
    "no task anywhere": ({"hello": "world"}, {}, {}),
    "not JSON": ("[[1, 2", HEADERS, {}),
    "bytes that are no UTF-8": (b"\xff\xfe\xfd", HEADERS, {}),
    "an empty body": ("", HEADERS, {}),
    "a refused content type": ("x: 1", HEADERS, {"content_type": "application/x-yaml"}),
    "a pickle": (b"\x80\x04K\x01.", HEADERS, {"content_type": "application/x-python-serialize",
                                              "content_encoding": "binary"}),
    "a broken eta": (BODY, {**HEADERS, "eta": "yesterday-ish"}, {}),
    "broken expires": (BODY, {**HEADERS, "expires": "32nd of May"}, {}),
    "no id": (BODY, {"task": "tasks.add"}, {}),
    "a body that is no list": ({"args": 3}, HEADERS, {}),
    "arguments that are no list": ([{"x": 1}, {}, EMBED], HEADERS, {}),
    "keyword arguments that are no map": ([[4, 6], [1], EMBED], HEADERS, {}),
    "an unknown typed value": ([[{"__type__": "nuke", "__value__": 1}, 1], {}, EMBED], HEADERS, {}),
    "nesting without end": (deep(100_000), HEADERS, {}),
    "arguments nested too deep": (f"[[{deep(500)}, 1], {{}}, {{}}]", HEADERS, {}),
    "too many values": ([[0] * 2_100_000, {}, EMBED], HEADERS, {}),
    # Of the worker below; RabbitMQ 4 takes nothing above 16 MiB, which is less than the worker's own default.
    "a body beyond the limit": ([["x" * 2_000_000], {}, EMBED], HEADERS, {}),
    "a compression we don't speak": (BODY, {**HEADERS, "compression": "application/x-gzip"}, {}),
    "a task name that is no text": (BODY, {**HEADERS, "task": 7}, {}),
    "retries that are no number": (BODY, {**HEADERS, "retries": "many"}, {}),
    "limits that are nonsense": (BODY, {**HEADERS, "timelimit": ["soon", -4]}, {}),
    "a task name like a path": (BODY, {**HEADERS, "task": "../../etc/passwd"}, {}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_settled_and_the_next_task_runs(
        redis_transport, start_worker, queues, queue, tmp_path, name):
    body, headers, properties = HOSTILE[name]
    queues.publish(queue, body, headers, **properties)
    configuration = tmp_path / "limits.toml"
    configuration.write_text("[limits]\nmax_body_bytes = 1048576\n" if "beyond" in name else "")
    worker = start_worker(redis_transport, queue, slots=1, options=["--config", str(configuration)])
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=20) == 10.0
    assert worker.running
    assert worker.stop() == 0
    assert queues.ready(queue) == 0, "it went back to the queue"


def test_messages_that_need_little_are_enough(redis_transport, start_worker, queues, queue):
    start_worker(redis_transport, queue, slots=1)
    accepted = {
        "minimal": ([[4, 6], {}, {}], {"task": "tasks.add", "id": f"minimal-{queue}"}),
        "no embed": ([[4, 6], {}, None], {"task": "tasks.add", "id": f"none-{queue}"}),
        "protocol 1": ({"task": "tasks.add", "id": f"one-{queue}", "args": [4, 6], "kwargs": {}, "retries": 0,
                        "eta": None, "expires": None, "utc": True}, {}),
        "hybrid": ({"args": [4, 6], "kwargs": {}}, {"task": "tasks.add", "id": f"hybrid-{queue}"}),
    }
    for name, (body, headers) in accepted.items():
        queues.publish(queue, body, headers)
        task_id = headers.get("id") or body["id"]
        assert redis_transport.app.AsyncResult(task_id).get(timeout=30) == 10.0, name


def test_not_a_number_and_huge_integers_do_not_break_the_parser(redis_transport, start_worker, queues, queue):
    start_worker(redis_transport, queue, slots=1)
    queues.publish(queue, "[[NaN, 1], {}, {}]", {"task": "tasks.add", "id": f"nan-{queue}"})
    value = redis_transport.app.AsyncResult(f"nan-{queue}").get(timeout=30)
    assert value != value
    queues.publish(queue, f"[[{10 ** 40}], {{}}, {{}}]", {"task": "journey.keywords", "id": f"huge-{queue}"})
    with pytest.raises(OverflowError):
        redis_transport.app.AsyncResult(f"huge-{queue}").get(timeout=30)
