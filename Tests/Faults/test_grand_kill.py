"""Random SIGKILLs of children, zygotes, hosts and servers, and hosts asked to end, while thousands of short tasks run.

The seed is printed and can be given: TASKHOST_TEST_SEED=7; TASKHOST_TEST_TASKS changes the number of tasks.
"""
import os
import random

import pytest
import schedule
from checker import check, summary
from grand_kill import GrandKill
from lab import bundles
from laboratory import Embedded, PostgreSQLAlone, RabbitMQQuorumWithRedis, RabbitMQWithRedis, RedisAlone
from progress import Progress

HERE = os.path.dirname(os.path.abspath(__file__))


def trial(kind, targets, count, folder, least, linked=False):
    """One run of at least so many kills: its problems are a failure that names the seed."""
    seed = int(os.environ.get("TASKHOST_TEST_SEED") or random.SystemRandom().randrange(1 << 31))
    plugin = bundles.build_c(os.path.join(HERE, "recorder.c"), folder)
    run = GrandKill(kind(folder), folder, plugin, seed, targets, count, linked)
    print(f"{run.laboratory.name}: {count} tasks, {len(run.strikes)} strikes, TASKHOST_TEST_SEED={seed}", flush=True)
    try:
        with Progress(run.progress) as progress:
            run.begin()
            run.carry_out()
            found = run.finish()
    finally:
        run.close()
    print(f"{progress.seconds():.0f} s: {summary(found)}", flush=True)
    problems = check(found)
    if sum(kill.target != "term" for kill in found.kills) < least:
        problems.append(f"{run.missed} of {len(run.strikes)} strikes found nothing to kill: give it more tasks")
    assert not problems, f"seed {seed}: " + "; ".join(problems) + "\n" + summary(found)


@pytest.mark.parametrize("kind, targets", [
    (RabbitMQWithRedis, schedule.RABBITMQ), (RabbitMQQuorumWithRedis, schedule.RABBITMQ),
    (RedisAlone, schedule.REDIS), (Embedded, schedule.EMBEDDED), (PostgreSQLAlone, schedule.POSTGRESQL)],
    ids=["rabbitmq-classic", "rabbitmq-quorum", "redis", "sqlite", "postgresql"])
def test_no_task_is_lost_and_only_interrupted_ones_run_again(kind, targets, tmp_path):
    least = sum(count for target, count in targets.items() if target != "term") * 3 // 4
    trial(kind, targets, int(os.environ.get("TASKHOST_TEST_TASKS") or 2000), str(tmp_path), least)


@pytest.mark.chaos
@pytest.mark.parametrize("kind, targets", [
    (RabbitMQWithRedis, schedule.CHAOS["rabbitmq"]), (RabbitMQQuorumWithRedis, schedule.CHAOS["rabbitmq"]),
    (RedisAlone, schedule.CHAOS["redis"]), (Embedded, schedule.CHAOS["embedded"]),
    (PostgreSQLAlone, schedule.CHAOS["redis"])],
    ids=["rabbitmq-classic", "rabbitmq-quorum", "redis", "sqlite", "postgresql"])
def test_nothing_is_lost_of_twenty_thousand_tasks_under_a_hundred_and_twenty_kills(kind, targets, tmp_path):
    trial(kind, targets, int(os.environ.get("TASKHOST_TEST_TASKS") or 20_000), str(tmp_path), 120)


@pytest.mark.chaos
@pytest.mark.parametrize("kind, targets", [
    (RabbitMQWithRedis, schedule.CHAOS["rabbitmq"]), (RabbitMQQuorumWithRedis, schedule.CHAOS["rabbitmq"]),
    (RedisAlone, schedule.CHAOS["redis"])], ids=["rabbitmq-classic", "rabbitmq-quorum", "redis"])
def test_every_link_is_called_of_five_thousand_under_a_hundred_and_twenty_kills(kind, targets, tmp_path):
    trial(kind, targets, int(os.environ.get("TASKHOST_TEST_TASKS") or 10_000), str(tmp_path), 120, linked=True)
