"""Short tasks in kept children: what has not begun is looked at again, however it came to wait."""
import pytest
from celery.exceptions import TaskRevokedError

from conftest import example
from lab.wait import until

SLOTS = 2


def running(transport):
    return [task for tasks in (transport.app.control.inspect().active() or {}).values() for task in tasks]


@pytest.fixture
def busy(redis_transport, start_worker, queue):
    """A worker that knows the task to be short, with every child in the hands of a long run of it."""
    start_worker(redis_transport, queue, plugins=[example("sleeper")], slots=SLOTS)

    def send(milliseconds, **options):
        return redis_transport.app.send_task("sleeper.kept", [milliseconds], queue=queue, **options)

    for one in [send(0) for _ in range(20)]:
        one.get(timeout=20)
    long = [send(3000) for _ in range(SLOTS)]
    until("the long ones to run", lambda: len(running(redis_transport)) == SLOTS, 20)
    return send, long


def test_a_task_that_expires_while_children_are_busy_is_revoked_and_a_revoked_one_never_starts(busy, redis_transport):
    send, long = busy
    late = send(0, expires=1)
    unwanted = send(0)
    wanted = send(0)
    redis_transport.app.control.revoke(unwanted.id, reply=True)
    assert [one.get(timeout=20) is not None for one in [*long, wanted]] == [True] * (SLOTS + 1)
    for one in [late, unwanted]:
        with pytest.raises(TaskRevokedError):
            one.get(timeout=20)
