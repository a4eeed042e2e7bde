"""One worker for all that a broker refuses, so that each test takes some tenths of a second; a good task is timed beside
every one of them. By hand: Tests/Support/with-servers "$(Tests/Support/venv)" -m pytest Tests/Faults/refusals
"""
import os
import sys
import uuid

import pytest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "Support")]
from lab import amqp, bundles, settings  # noqa: E402
from lab.wait import until  # noqa: E402
from refusal_site import LARGEST, Site, rabbitmqctl  # noqa: E402


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundles.build_c(os.path.join(HERE, "refusals.c"), tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def queues():
    one = amqp.Queues()
    yield one
    one.close()


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory, bundle, queues):
    """A user with rights on all but what begins with `forbidden`, and a broker that takes no more than 1 MiB."""
    name = f"limited-{uuid.uuid4().hex[:6]}"
    rabbitmqctl("add_user", name, "pw")
    rabbitmqctl("set_permissions", name, ".*", "^(?!forbidden|celery_delayed).*", ".*")
    rabbitmqctl("eval", f"application:set_env(rabbit, max_message_size, {LARGEST}).")
    admin = settings.server("AMQP_URL")
    scheme, rest = admin.split("://", 1)
    url = f"{scheme}://{name}:pw@{rest.rpartition('@')[2]}"
    site = Site(tmp_path_factory.mktemp("rabbitmq"), url, settings.server("REDIS_URL"), bundle,
                queues.new("refusals"), client_broker=admin)
    yield site
    site.close()
    rabbitmqctl("delete_user", name)
    rabbitmqctl("eval", "application:unset_env(rabbit, max_message_size).")


@pytest.fixture(scope="module")
def redis_alone(tmp_path_factory, bundle):
    url = settings.server("REDIS_URL")
    site = Site(tmp_path_factory.mktemp("redis"), url, url, bundle, f"refusals-{uuid.uuid4().hex[:6]}")
    yield site
    site.close()


@pytest.fixture
def free(queues):
    """Nothing of ours is left in the queue: what was refused has been settled."""
    return lambda site: until("the queue to become empty", lambda: queues.ready(site.queue) == 0)
