"""Retries, dead letters and results that are refused: for good, or for a while."""
import signal
import time
import uuid

import pytest
import redis
from lab import clients, settings
from lab.wait import until
from refusal_site import LARGEST, Site, rabbitmqctl


def test_a_retry_that_the_broker_may_not_delay_ends_as_a_failure(rabbitmq, free):
    """The ladder of delays is closed to this user: so late a retry cannot be kept by the broker."""
    path = rabbitmq.counter()
    sent = [rabbitmq.app.send_task("refusals.again", (path, 3600), queue=rabbitmq.queue) for _ in range(6)]
    rabbitmq.stays_prompt()
    for one in sent:
        rabbitmq.wait_for_state(one.id, "FAILURE")
        assert "sent to its queue again" in rabbitmq.reason(one.id)
    assert rabbitmq.starts(path) == len(sent)
    free(rabbitmq)


def test_a_full_queue_is_waited_for_and_hundreds_of_such_tasks_hold_up_nobody(rabbitmq, queues):
    full = queues.new("full", max_length=1, overflow="reject-publish")
    queues.publish(full, "[[],{},{}]")
    until("it to be full", lambda: queues.ready(full) == 1)
    path = rabbitmq.counter()
    bad = rabbitmq.signature("step", path, exchange="", routing_key=full).set(immutable=True)
    sent = [rabbitmq.app.send_task("refusals.step", (path,), queue=rabbitmq.queue, link=bad.clone())
            for _ in range(200)]
    rabbitmq.worker.wait_for("all of them to have run", lambda: rabbitmq.starts(path) == len(sent), 60)
    rabbitmq.stays_prompt()
    assert rabbitmq.state(sent[0].id) == "PENDING"
    queues.channel.queue_delete(full)
    for one in sent:
        rabbitmq.wait_for_state(one.id, "SUCCESS", 60)
    assert rabbitmq.starts(path) == len(sent)


def test_dead_letters_that_nobody_may_keep_hold_up_nobody_and_are_kept_later(tmp_path, bundle, queues):
    name = f"undertaker-{uuid.uuid4().hex[:6]}"
    rabbitmqctl("add_user", name, "pw")
    rabbitmqctl("set_permissions", name, "^(?!.*dead).*", "^(?!.*dead).*", ".*")
    admin = settings.server("AMQP_URL")
    scheme, rest = admin.split("://", 1)
    site = Site(tmp_path, f"{scheme}://{name}:pw@{rest.rpartition('@')[2]}", settings.server("REDIS_URL"), bundle,
                queues.new("undertaker"), client_broker=admin)
    try:
        for _ in range(12):
            site.app.send_task("nobody.has_it", queue=site.queue)
        site.worker.wait_for_log("dead-letter", "ACCESS_REFUSED")
        site.stays_prompt()
        rabbitmqctl("set_permissions", name, ".*", ".*", ".*")
        site.worker.wait_for("the dead letters", lambda: queues.ready(f"{site.queue}.dead") == 12, 60)
        assert queues.ready(site.queue) == 0
    finally:
        site.close()
        rabbitmqctl("delete_user", name)


def test_a_result_key_of_another_type_ends_in_the_dead_letters(rabbitmq, queues, free):
    """The store refuses this record for good, even a failure in its place."""
    store = redis.Redis.from_url(settings.server("REDIS_URL"))
    path, task_id = rabbitmq.counter(), uuid.uuid4().hex
    store.rpush(f"celery-task-meta-{task_id}", "a list")
    while queues.get(f"{rabbitmq.queue}.dead"):
        pass
    rabbitmq.app.send_task("refusals.step", (path,), queue=rabbitmq.queue, task_id=task_id)
    rabbitmq.stays_prompt()
    letter = until("its dead letter", lambda: queues.get(f"{rabbitmq.queue}.dead"))
    assert letter.headers["id"] == task_id and letter.headers["taskhost-dead"]["verdict"] == "unrecorded"
    assert rabbitmq.starts(path) == 1
    free(rabbitmq)


def test_results_wait_while_the_store_asks_for_another_password(tmp_path, bundle, queues):
    """A password that was turned: nothing is lost and nothing is run again once it is right."""
    from servers.durable import DurableRedis
    server = DurableRedis(str(tmp_path))
    client = redis.Redis.from_url(server.url())
    (tmp_path / "site").mkdir()
    site = Site(tmp_path / "site", settings.server("AMQP_URL"), server.url(), bundle, queues.new("turned"))
    try:
        client.config_set("requirepass", "other")
        client.execute_command("AUTH", "other")
        # The server ends what was let in before.
        client.client_kill_filter(_type="normal", skipme=True)
        path = site.counter()
        # A client without results: the store does not let clients in either.
        sender = clients.app(settings.server("AMQP_URL"), None)
        sent = [sender.send_task("refusals.step", (path,), queue=site.queue) for _ in range(40)]
        site.worker.wait_for("all of them to have run", lambda: site.starts(path) == 40, 60)
        site.worker.wait_for_log("NOAUTH")
        sender.close()
        client.config_set("requirepass", "")
        for one in sent:
            site.worker.wait_for(f"the result of {one.id}", lambda one=one: client.exists(
                f"celery-task-meta-{one.id}"), 60)
        assert site.starts(path) == 40 and not queues.ready(f"{site.queue}.dead")
    finally:
        client.config_set("requirepass", "")
        site.close()
        server.close()


def test_an_rpc_result_above_the_broker_s_largest_message_is_told_as_a_failure(tmp_path, bundle, queues, rabbitmq):
    site = Site(tmp_path, settings.server("AMQP_URL"), "rpc://", bundle, queues.new("rpc"))
    try:
        path = site.counter()
        large = site.app.send_task("refusals.blow", (path, 2 * LARGEST), queue=site.queue)
        with pytest.raises(Exception, match="result store"):
            large.get(timeout=30)
        site.stays_prompt()
        assert site.starts(path) == 1
    finally:
        site.close()


@pytest.mark.parametrize("grace", [2])
def test_a_stop_ends_within_its_grace_period_whatever_waits(tmp_path, bundle, queues, grace):
    full = queues.new("full", max_length=1, overflow="reject-publish")
    queues.publish(full, "[[],{},{}]")
    site = Site(tmp_path, settings.server("AMQP_URL"), settings.server("REDIS_URL"), bundle, queues.new("stops"),
                grace=grace)
    try:
        path = site.counter()
        bad = site.signature("step", path, exchange="", routing_key=full).set(immutable=True)
        for _ in range(8):
            site.app.send_task("refusals.step", (path,), queue=site.queue, link=bad.clone())
        site.worker.wait_for("all of them to have run", lambda: site.starts(path) == 8)
        began = time.monotonic()
        site.worker.send(signal.SIGTERM)
        status = site.worker.wait(grace + 20)
        lasted = time.monotonic() - began
        # A second beyond it by the rule; a loaded machine gets two more (it was five beyond).
        assert status == 0 and lasted < grace + 3, lasted
        until("the messages to be back", lambda: queues.ready(site.queue) == 8)
    finally:
        site.close()
        queues.channel.queue_delete(full)
