"""When to kill what: drawn from a seed, so that a run that failed can be had again."""
import random
from dataclasses import dataclass

# Kills per target. RabbitMQ needs seconds to come back; SQLite has no process of its own to kill. TERM is no kill: a
# host that is asked to end may cost nothing.
RABBITMQ = {"child": 8, "zygote": 3, "host": 3, "broker": 2, "store": 2, "term": 2}
REDIS = {"child": 8, "zygote": 3, "host": 3, "broker": 3, "term": 2}
EMBEDDED = {"child": 8, "zygote": 3, "host": 4, "term": 2}
POSTGRESQL = {"child": 6, "zygote": 2, "host": 2, "broker": 3, "term": 2}
# `make chaos`: at least 120 kills each.
CHAOS = {
    "rabbitmq": {"child": 62, "zygote": 22, "host": 20, "broker": 8, "store": 10, "term": 12},
    "redis": {"child": 64, "zygote": 22, "host": 20, "broker": 16, "term": 12},
    "embedded": {"child": 70, "zygote": 25, "host": 27, "term": 12},
}


@dataclass(frozen=True)
class Strike:
    after_starts: int  # tasks that must have been started before
    delay: float       # seconds to wait then: the moment within a task is random too
    target: str
    choice: int        # which of those that are there


def draw(seed, targets, tasks):
    """The strikes in their order, spread over the middle of the work: same arguments, same schedule."""
    dice = random.Random(seed)
    kinds = [target for target, count in targets.items() for _ in range(count)]
    dice.shuffle(kinds)
    moments = sorted(dice.uniform(0.03, 0.93) for _ in kinds)
    return [Strike(int(moment * tasks), dice.uniform(0, 0.05), kind, dice.randrange(1 << 16))
            for moment, kind in zip(moments, kinds)]
