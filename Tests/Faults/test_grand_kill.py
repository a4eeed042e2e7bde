"""Random SIGKILLs of children, zygotes, hosts and the broker while thousands of short tasks run.

The seed is printed and can be given: TASKHOST_TEST_SEED=7; TASKHOST_TEST_TASKS changes the number of tasks.
"""
import os
import random

import pytest
import schedule
from checker import check, summary
from grand_kill import GrandKill
from lab import bundles
from laboratory import Embedded, RabbitMQQuorumWithRedis, RabbitMQWithRedis

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.parametrize("kind, targets", [
    (RabbitMQWithRedis, schedule.RABBITMQ), (RabbitMQQuorumWithRedis, schedule.RABBITMQ),
    (Embedded, schedule.EMBEDDED)], ids=["rabbitmq-classic", "rabbitmq-quorum", "sqlite"])
def test_no_task_is_lost_and_only_interrupted_ones_run_again(kind, targets, tmp_path):
    seed = int(os.environ.get("TASKHOST_TEST_SEED") or random.SystemRandom().randrange(1 << 31))
    count = int(os.environ.get("TASKHOST_TEST_TASKS") or 2000)
    print(f"TASKHOST_TEST_SEED={seed}")
    plugin = bundles.build_c(os.path.join(HERE, "recorder.c"), str(tmp_path))
    trial = GrandKill(kind(str(tmp_path)), str(tmp_path), plugin, seed, targets, count)
    try:
        trial.begin()
        trial.carry_out()
        found = trial.finish()
    finally:
        trial.close()
    print(summary(found))
    problems = check(found)
    assert not problems, f"seed {seed}: " + "; ".join(problems) + "\n" + summary(found)
