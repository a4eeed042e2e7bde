"""What follows a task and can never be sent: it fails under its own id, the task itself stands and started once, and a
good task beside a dozen of them runs as usual."""
import json
import uuid

import pytest
import redis
from celery import chain, chord
from lab import settings
from lab.wait import until

DOZEN = 12
LONG = "q" * 300


def refused_by_rabbitmq(kind, queues):
    """Options of a signature that this broker never takes."""
    if kind == "an exchange nobody declared":
        return {"exchange": "nosuch", "routing_key": "x"}
    if kind == "an exchange bound to nothing":
        queues.channel.exchange_declare("refusals-unbound", "direct", durable=False, auto_delete=False)
        return {"exchange": "refusals-unbound", "routing_key": "x"}
    if kind == "an exchange it may not write to":
        queues.channel.exchange_declare("forbidden-one", "direct", durable=False, auto_delete=False)
        return {"exchange": "forbidden-one", "routing_key": "x"}
    if kind == "somebody else's exclusive queue":
        queues.channel.queue_declare("refusals-exclusive", exclusive=True)
        return {"queue": "refusals-exclusive"}
    if kind == "a queue name too long for its dead letters":
        return {"queue": "q" * 230}
    if kind == "a name beyond what AMQP carries":
        return {"exchange": "", "routing_key": LONG}
    if kind == "a reserved name":
        return {"exchange": "", "routing_key": "amq.mine"}
    if kind == "headers above one frame":
        return {"headers": {"much": "x" * 140_000}}
    raise AssertionError(kind)


# Known from the canvas alone: then the task that names it fails, as with every canvas that cannot be applied.
KNOWN_BEFORE = ("a name beyond what AMQP carries", "a reserved name")
KINDS = ["an exchange nobody declared", "an exchange bound to nothing", "an exchange it may not write to",
         "somebody else's exclusive queue", "a queue name too long for its dead letters", "headers above one frame",
         *KNOWN_BEFORE]


@pytest.mark.parametrize("kind", KINDS)
def test_a_callback_that_rabbitmq_never_takes_fails_and_holds_up_nobody(rabbitmq, queues, free, kind):
    path = rabbitmq.counter()
    bad = rabbitmq.signature("step", path, **refused_by_rabbitmq(kind, queues)).set(immutable=True)
    sent = []
    for _ in range(DOZEN):
        link = bad.clone()
        link.freeze()
        first = rabbitmq.app.send_task("refusals.step", (path,), queue=rabbitmq.queue, link=link)
        sent.append((first.id, link.id))
    rabbitmq.stays_prompt()
    for first, link in sent:
        if kind in KNOWN_BEFORE:
            rabbitmq.wait_for_state(first, "FAILURE")
            assert "cannot be sent" in rabbitmq.reason(first)
        else:
            rabbitmq.wait_for_state(first, "SUCCESS")
            rabbitmq.wait_for_state(link, "FAILURE")
            assert "cannot be sent" in rabbitmq.reason(link)
    assert rabbitmq.starts(path) == DOZEN
    free(rabbitmq)


def sent_by_way(site, way, path, options):
    """Sends something of which a part can never be sent; the ids that are to succeed and those that are to fail."""
    step = site.signature("step", path, queue=site.queue).set(immutable=True)
    bad = site.signature("step", path, **options).set(immutable=True)
    if way == "a chain's second step":
        last = chain(step, bad, step.clone()).apply_async()
        return [last.parent.parent.id], [last.parent.id, last.id]
    if way == "a chord's body":
        result = chord([step, step.clone()], bad).apply_async()
        return [member.id for member in result.parent.results], [result.id]
    if way == "a member of a chord behind a step":
        last = chain(step, chord([step.clone(), bad], step.clone())).apply_async()
        return [last.parent.parent.id], [last.id]
    if way == "an errback":
        bad.freeze()
        first = site.app.send_task("refusals.fail", (path,), queue=site.queue, link_error=bad)
        return [], [first.id, bad.id]
    if way == "what a task sends":
        signature = json.dumps({"task": "refusals.step", "args": [path], "kwargs": {}, "options": options,
                                "subtask_type": None, "immutable": False})
        first = site.app.send_task("refusals.send", (path, signature), queue=site.queue)
        return [first.id], [first.get(timeout=30)]
    raise AssertionError(way)


WAYS = ["a chain's second step", "a chord's body", "a member of a chord behind a step", "an errback",
        "what a task sends"]


@pytest.mark.parametrize("way", WAYS)
def test_wherever_rabbitmq_refuses_it_everything_comes_to_its_end(rabbitmq, free, way):
    ends_everywhere(rabbitmq, way)
    free(rabbitmq)


@pytest.mark.parametrize("way", WAYS)
def test_wherever_redis_has_no_queue_for_it_everything_comes_to_its_end(redis_alone, way):
    ends_everywhere(redis_alone, way)
    client = redis.Redis.from_url(settings.server("REDIS_URL"))
    until("the queue to become empty", lambda: client.llen(redis_alone.queue) == 0)


def ends_everywhere(site, way):
    sent = [sent_by_way(site, way, site.counter(), {"exchange": "nosuch", "routing_key": "x"}) for _ in range(4)]
    site.stays_prompt()
    for good, bad in sent:
        for task_id in good:
            site.wait_for_state(task_id, "SUCCESS")
        for task_id in bad:
            site.wait_for_state(task_id, "FAILURE")


def test_a_result_too_large_to_follow_is_kept_and_the_next_step_fails(rabbitmq, free):
    path = rabbitmq.counter()
    last = chain(rabbitmq.signature("blow", path, 2 << 20, queue=rabbitmq.queue),
                 rabbitmq.signature("length", queue=rabbitmq.queue)).apply_async()
    rabbitmq.stays_prompt()
    rabbitmq.wait_for_state(last.id, "FAILURE")
    rabbitmq.wait_for_state(last.parent.id, "SUCCESS")
    assert rabbitmq.starts(path) == 1
    free(rabbitmq)


def test_what_could_not_be_sent_is_a_dead_letter_that_says_why(rabbitmq, queues, free):
    path = rabbitmq.counter()
    link = rabbitmq.signature("step", path, exchange="nosuch", routing_key="x").set(immutable=True)
    link.freeze()
    while queues.get(f"{rabbitmq.queue}.dead"):
        pass
    rabbitmq.app.send_task("refusals.step", (path,), queue=rabbitmq.queue, link=link)
    rabbitmq.wait_for_state(link.id, "FAILURE")
    letter = until("its dead letter", lambda: queues.get(f"{rabbitmq.queue}.dead"))
    assert letter.headers["id"] == link.id
    assert letter.headers["taskhost-dead"]["verdict"] == "unsendable"
    assert "nosuch" in letter.headers["taskhost-dead"]["reason"]


def test_a_queue_key_of_another_type_is_refused_for_good(redis_alone):
    client = redis.Redis.from_url(settings.server("REDIS_URL"))
    wrong = f"refusals-{uuid.uuid4().hex[:6]}"
    client.set(wrong, "a text")
    path = redis_alone.counter()
    link = redis_alone.signature("step", path, queue=wrong).set(immutable=True)
    link.freeze()
    first = redis_alone.app.send_task("refusals.step", (path,), queue=redis_alone.queue, link=link)
    redis_alone.stays_prompt()
    redis_alone.wait_for_state(link.id, "FAILURE")
    redis_alone.wait_for_state(first.id, "SUCCESS")
    assert redis_alone.starts(path) == 1
    client.delete(wrong)
