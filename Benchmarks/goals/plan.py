"""What is measured, in the order of a round."""
from dataclasses import dataclass, field

from goals import depth, full_queue, idle, latency, slots, sqlite


@dataclass
class Measurement:
    function: object
    how: dict
    rounds: int = 99          # in the first so many rounds only
    needs: set = field(default_factory=set)  # of: peers, mayu
    is_floor: bool = False    # needs no taskhost
    is_check: bool = False    # with --check-floor only


BATCHED = dict(in_flight=16, batch=True)
QUEUED, FUTURE, NAMES, QUEUES = (10_000, 1_000_000), (1_000, 100_000), (10, 10_000), (10, 1_000)
SLOTS, NAPS_MS = (8, 32, 128), (1, 10, 100)
PEER_ROUNDS = 3
PEERS, MAYU = {"peers"}, {"peers", "mayu"}

PLAN = {}


def add(name, function, rounds=99, needs=(), is_floor=False, is_check=False, **how):
    PLAN[name] = Measurement(function, how, rounds, set(needs), is_floor, is_check)


def floor(name, worker, count, checked=False, **how):
    """And, where another floor has the same row, its program beside ours."""
    add(name, full_queue.measure, is_floor=True, worker=worker, count=count, **how)
    if checked:
        add(f"check: {name}", full_queue.measure, is_floor=True, is_check=True, worker=f"check {worker}", count=count, **how)


def host(name, worker, count, **how):
    add(name, full_queue.measure, worker=worker, count=count, **how)


def peer(name, kind, count, needs=PEERS, **how):
    """Their figures are far from ours, and most of the time goes into their starts."""
    add(name, full_queue.peer, rounds=PEER_ROUNDS, needs=needs, kind=kind, count=count, **how)


def full_queues():
    floor("floor pool", "pool", 30_000, checked=True)
    floor("floor pool, batched", "pool", 40_000, checked=True, **BATCHED)
    host("kept", "kept", 40_000)
    peer("celery", "celery", 3_000)
    peer("dramatiq", "dramatiq", 3_000)
    host("kept, events", "kept", 40_000, events=True)
    floor("quorum: floor pool", "pool", 40_000, checked=True, quorum=True)
    floor("quorum: floor pool, batched", "pool", 60_000, checked=True, quorum=True, **BATCHED)
    host("quorum: kept", "kept", 40_000, quorum=True)
    for results in ("redis", "rpc"):
        floor(f"{results} results: floor pool", "pool", 20_000, checked=True, results=results)
        floor(f"{results} results: floor pool, batched", "pool", 30_000, checked=True, results=results, **BATCHED)
        host(f"{results} results: kept", "kept", 20_000, results=results)
        peer(f"{results} results: celery", "celery", 2_000, results=results)
    floor("floor zygote", "zygote", 8_000, checked=True)
    floor("floor lanes", "lanes", 8_000, checked=True)
    host("fresh", "fresh", 6_000)
    host("fresh, events", "fresh", 6_000, events=True)
    peer("celery fresh", "celery fresh", 30)
    peer("rq", "rq", 150, broker="redis")
    floor("quorum: floor zygote", "zygote", 8_000, checked=True, quorum=True)
    floor("quorum: floor lanes", "lanes", 8_000, checked=True, quorum=True)
    host("quorum: fresh", "fresh", 6_000, quorum=True)
    for text, size, many, few in (("10 kB", 10_000, 8_000, 1_500), ("1 MB", 1_000_000, 400, 100)):
        floor(f"{text}: floor pool", "pool", many, checked=True, size=size)
        floor(f"{text}: floor pool, batched", "pool", many, checked=True, size=size, **BATCHED)
        host(f"{text}: kept", "kept", many, size=size)
        peer(f"{text}: celery", "celery", few, size=size)


def redis_queues():
    for name, results in (("redis", None), ("redis, results", "redis")):
        floor(f"{name}: floor pool, batched", "pool", 20_000, broker="redis", results=results, **BATCHED)
        host(f"{name}: kept", "kept", 20_000, broker="redis", results=results)
        peer(f"{name}: mayu", "mayu", 8_000, needs=MAYU, broker="redis", results=results)
        peer(f"{name}: celery", "celery", 800, broker="redis", results=results)
    floor("redis: floor zygote", "zygote", 6_000, broker="redis")
    host("redis: fresh", "fresh", 6_000, broker="redis")


def files():
    for name, hosts in (("sqlite: bare loop", 0), ("sqlite: kept", 1), ("sqlite: 4 hosts", 4)):
        # A host begins with small credit: the tenth of a second until it knows its rate is a fifth of 15,000 tasks.
        add(name, sqlite.measure, rounds=3, is_floor=hosts == 0, hosts=hosts, count=60_000)


def latencies():
    for name, results in (("start", None), ("redis result", "redis")):
        add(f"latency, {name}: floor pool", latency.measure, is_floor=True, worker="pool", count=300, results=results)
        add(f"latency, {name}: kept", latency.measure, worker="kept", count=300, results=results)
    add("latency, redis result: celery", latency.peer, rounds=PEER_ROUNDS, needs=PEERS, kind="celery", count=300)


def idles():
    add("first task: floor pool", idle.first_task, is_floor=True, worker="pool")
    add("first task: kept", idle.first_task, worker="kept")
    add("first task: celery", idle.first_task, rounds=PEER_ROUNDS, needs=PEERS, worker="celery")
    add("memory: floor pool", idle.memory, rounds=1, is_floor=True, worker="pool", slots=2)
    for count in (2, 8):
        add(f"memory: {count} slots", idle.memory, rounds=1, worker="kept", slots=count)
    add("memory: 1,000 slots", idle.memory, rounds=1, worker="kept", slots=1000, used=False)
    for count in (2, 8):
        add(f"memory: celery, {count} children", idle.peer_memory, rounds=1, needs=PEERS, children=count)


def many_slots():
    for count in SLOTS:
        for nap in NAPS_MS:
            name = f"{count} slots × {nap} ms"
            if nap < 100:
                add(f"{name}: floor pool", slots.measure, rounds=1, is_floor=True, worker="pool", slots=count, milliseconds=nap)
            add(f"{name}: kept", slots.measure, rounds=1, worker="kept", slots=count, milliseconds=nap)


def depths():
    for what, sizes, tasks in (("queued", QUEUED, 10_000), ("future", FUTURE, 20_000), ("names", NAMES, 100_000),
                               ("queues", QUEUES, 20_000)):
        for size in sizes:
            add(f"{size:,} {what}", depth.measure, rounds=1, what=what, size=size, tasks=tasks)


for part in (full_queues, redis_queues, files, latencies, idles, many_slots, depths):
    part()


def chosen(has, only="", floor_only=False):
    """Names; `has`: of peers, mayu, check."""
    return [name for name, one in PLAN.items()
            if one.needs <= has and (one.is_floor or not floor_only) and ("check" in has or not one.is_check)
            and any(part in name for part in only.split(","))]
