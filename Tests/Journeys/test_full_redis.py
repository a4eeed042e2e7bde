"""A Redis that has no room: what commands say of it."""
import pytest
import redis
from lab import settings

UNUSABLE = 69


@pytest.fixture
def full_redis():
    client = redis.Redis.from_url(settings.server("REDIS_URL"))
    client.config_set("maxmemory", 1)
    yield settings.server("REDIS_URL")
    client.config_set("maxmemory", 0)


@pytest.mark.parametrize("wait", [[], ["--wait=2"]], ids=["and goes", "and waits for the result"])
def test_who_calls_a_task_is_told_that_the_broker_takes_nothing_and_not_to_evict(taskhost, full_redis, queue, wait):
    done = taskhost("call", "tasks.add", 1, 2, "-b", full_redis, "-Q", queue, *wait, seconds=60).expect(UNUSABLE)
    assert "the broker takes no messages" in done.err and "out of memory" in done.err
    assert "goes on" not in done.err and "evict" not in done.err
