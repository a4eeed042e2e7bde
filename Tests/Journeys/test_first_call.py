"""The call everything else stands on, and the ways arguments can be right and wrong."""
import celery.exceptions
import pytest
from lab import clients


def test_a_stock_client_gets_a_sum_from_a_typed_c_task(transport, start_worker):
    start_worker(transport, "urgent,normal")
    app = clients.app(transport.broker, transport.backend)
    assert app.send_task("tasks.add", (4, 6), queue="urgent").get(timeout=30) == 10.0


def test_a_float_result_stays_a_float(transport, start_worker, queue):
    start_worker(transport, queue)
    value = transport.send("tasks.add", 4, 6, queue=queue).get(timeout=30)
    assert (value, type(value)) == (10.0, float)


def test_keyword_arguments_and_defaults_are_bound_by_name(transport, start_worker, queue):
    start_worker(transport, queue)
    send = transport.app.send_task
    assert send("journey.keywords", (1,), queue=queue).get(timeout=30) == 157
    assert send("journey.keywords", (1,), {"c": 2}, queue=queue).get(timeout=30) == 152
    assert send("journey.keywords", (), {"c": 3, "b": 2, "a": 1}, queue=queue).get(timeout=30) == 123


@pytest.mark.parametrize("args, kwargs, words", [
    ((4,), {}, "add() missing 1 required positional argument: 'y'"),
    ((), {}, "add() missing 2 required positional arguments: 'x' and 'y'"),
    ((1, 2, 3), {}, "add() takes 2 positional arguments but 3 were given"),
    ((1, 2), {"z": 3}, "add() got an unexpected keyword argument 'z'"),
    ((1, 2), {"x": 3}, "add() got multiple values for argument 'x'"),
])
def test_wrong_arguments_are_a_type_error_in_pythons_words(redis_transport, start_worker, queue, args, kwargs, words):
    start_worker(redis_transport, queue)
    result = redis_transport.app.send_task("tasks.add", args, kwargs, queue=queue)
    with pytest.raises(TypeError) as raised:
        result.get(timeout=30)
    assert str(raised.value) == words


def test_a_wrong_type_of_argument_is_a_type_error_and_the_task_is_not_run(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue)
    with pytest.raises(TypeError):
        redis_transport.send("tasks.add", "four", 6, queue=queue).get(timeout=30)


def test_a_tasks_own_error_is_raised_at_the_client(transport, start_worker, queue):
    start_worker(transport, queue)
    result = transport.send("tasks.fail", queue=queue)
    with pytest.raises(ValueError):
        result.get(timeout=30)
    assert result.state == "FAILURE"


def test_an_unknown_task_is_not_registered(redis_transport, start_worker, queues, queue):
    start_worker(redis_transport, queue)
    result = redis_transport.send("tasks.nobody", 1, queue=queue)
    with pytest.raises(celery.exceptions.NotRegistered):
        result.get(timeout=30)
    queues.wait_until_empty(queue)


def test_text_of_every_kind_comes_back_as_it_was_sent(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue)
    for text in ("", "plain", "Grüße, 世界 \U0001f600", 'a "quote" and a \\', "line\nline\ttab"):
        assert redis_transport.send("journey.echo", text, queue=queue).get(timeout=30) == text


def test_a_thousand_calls_all_come_back_with_their_own_result(transport, start_worker, queue):
    start_worker(transport, queue)
    sent = [transport.send("tasks.add", number, 1, queue=queue) for number in range(1000)]
    assert [one.get(timeout=30) for one in sent] == [number + 1.0 for number in range(1000)]


@pytest.mark.not_postgresql("it looks into Redis")
def test_ignore_result_stores_nothing(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue, slots=1)
    asked = redis_transport.send("journey.mark", str(note), "asked", queue=queue, ignore_result=True)
    by_task = redis_transport.send("journey.quiet", str(note), "by task", queue=queue)
    redis_transport.send("tasks.add", 1, 1, queue=queue).get(timeout=30)
    assert note.lines == ["asked", "by task"]
    backend = redis_transport.app.backend
    assert [backend.get(backend.get_key_for_task(one.id)) for one in (asked, by_task)] == [None, None]


@pytest.mark.not_postgresql("it looks into Redis")
def test_a_meta_document_has_celerys_fields(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue)
    result = redis_transport.send("tasks.add", 4, 6, queue=queue)
    result.get(timeout=30)
    backend = redis_transport.app.backend
    meta = backend.decode_result(backend.get(backend.get_key_for_task(result.id)))
    assert set(meta) == {"status", "result", "traceback", "children", "date_done", "task_id"}
    assert (meta["status"], meta["result"], meta["task_id"], meta["children"]) == ("SUCCESS", 10.0, result.id, [])
    assert 86000 < backend.client.ttl(backend.get_key_for_task(result.id)) <= 86400
