"""The goals: what is compared with what, and which ratio or figure is wanted."""
from dataclasses import dataclass

from goals import plan


@dataclass
class Aim:
    work: str
    ours: str           # names of measurements
    theirs: str         # "": the figure itself counts
    figure: str
    way: str            # >=, <=
    goal: float         # None: told only
    unit: str = ""
    note: str = ""


AIMS = []


def section(title, *aims):
    AIMS.append((title, list(aims)))


def rate(work, ours, theirs, goal, note=""):
    return Aim(work, ours, theirs, "rate", ">=", goal, note=note)


def most(work, ours, figure, goal, unit, theirs="", note=""):
    return Aim(work, ours, theirs, figure, "<=", goal, unit, note)


section(
    "Kept children, RabbitMQ",
    rate("classic queue, × floor pool, batched", "kept", "floor pool, batched", 0.95),
    rate("classic queue, × Celery", "kept", "celery", 10),
    rate("floor pool, batched, × Celery: the most a worker could have here", "floor pool, batched", "celery", None),
    rate("classic queue, × Dramatiq", "kept", "dramatiq", None),
    rate("quorum queue, × floor pool", "quorum: kept", "quorum: floor pool", 0.95),
    rate("quorum queue, × floor pool, batched", "quorum: kept", "quorum: floor pool, batched", 0.7),
    rate("results in Redis, × floor pool", "redis results: kept", "redis results: floor pool", 1.1),
    rate("results in Redis, × Celery", "redis results: kept", "redis results: celery", 12),
    rate("results by rpc, × floor pool", "rpc results: kept", "rpc results: floor pool", 0.95),
    rate("results by rpc, × Celery", "rpc results: kept", "rpc results: celery", 10),
    rate("arguments of 10 kB, × floor pool", "10 kB: kept", "10 kB: floor pool", 0.9),
    rate("arguments of 10 kB, × Celery", "10 kB: kept", "10 kB: celery", None),
    rate("arguments of 1 MB, × floor pool", "1 MB: kept", "1 MB: floor pool", 0.8),
    rate("arguments of 1 MB, × Celery", "1 MB: kept", "1 MB: celery", None),
    most("the host's own CPU a task, classic queue", "kept", "host_cpu_us", 20, " µs"),
    rate("events on, × without", "kept, events", "kept", 0.9),
)
section(
    "A fresh child for each task, RabbitMQ",
    rate("classic queue, × floor zygote", "fresh", "floor zygote", 0.95),
    rate("classic queue, × floor lanes", "fresh", "floor lanes", 0.95),
    rate("quorum queue, × floor zygote", "quorum: fresh", "quorum: floor zygote", 0.9),
    rate("quorum queue, × floor lanes", "quorum: fresh", "quorum: floor lanes", 0.9),
    rate("× Celery's one task per child", "fresh", "celery fresh", None),
    rate("× RQ", "fresh", "rq", None),
    rate("events on, × without", "fresh, events", "fresh", 0.9),
)
section(
    "Redis as broker",
    rate("kept, × mayu", "redis: kept", "redis: mayu", 3),
    rate("kept, × Celery", "redis: kept", "redis: celery", 40),
    rate("kept, results in Redis, × mayu", "redis, results: kept", "redis, results: mayu", 3),
    rate("kept, results in Redis, × Celery", "redis, results: kept", "redis, results: celery", 40),
    rate("kept, × floor pool, batched", "redis: kept", "redis: floor pool, batched", None),
    most("kept, the host's own CPU a task", "redis: kept", "host_cpu_us", 35, " µs"),
    rate("fresh, × floor zygote", "redis: fresh", "redis: floor zygote", 0.9),
)
section(
    "SQLite, durable",
    rate("kept, × SQLite's bare loop", "sqlite: kept", "sqlite: bare loop", 0.7),
    rate("4 hosts on one file, × one host", "sqlite: 4 hosts", "sqlite: kept", None, note="they are not to stand still"),
    most("4 hosts on one file, a claim, p99", "sqlite: 4 hosts", "claim_p99_ms", 50, " ms"),
)
section(
    "Latency, 100 tasks a second",
    most("send to start, p50, × floor pool", "latency, start: kept", "start_p50_ms", 1.1, "", "latency, start: floor pool"),
    most("send to start, p99, × floor pool", "latency, start: kept", "start_p99_ms", 1.2, "", "latency, start: floor pool"),
    most("send to result in Redis, p50, × floor pool", "latency, redis result: kept", "result_p50_ms", 1.1, "",
         "latency, redis result: floor pool"),
    most("send to result in Redis, p99, × floor pool", "latency, redis result: kept", "result_p99_ms", 1.2, "",
         "latency, redis result: floor pool"),
    most("send to result in Redis, p50, × Celery", "latency, redis result: kept", "result_p50_ms", None, "",
         "latency, redis result: celery"),
    most("exec to first task", "first task: kept", "seconds", 0.04, " s"),
)
section(
    "Memory (PSS) of the idle family, one bundle",
    most("2 slots, both children kept", "memory: 2 slots", "pss_mib", 10, " MiB"),
    most("8 slots, all children kept", "memory: 8 slots", "pss_mib", 12, " MiB"),
    most("1,000 slots", "memory: 1,000 slots", "pss_mib", 40, " MiB"),
)


def slots_section():
    rows = []
    for count in plan.SLOTS:
        for nap in plan.NAPS_MS:
            name = f"{count} slots × {nap} ms"
            floor = f"{name}: floor pool"
            # The machine itself cannot start so many a second: what the floor reaches is then what counts.
            beyond = count * 1000 / nap > 10_000
            rows.append(Aim(f"{name}{', × floor pool' if beyond else ''}", f"{name}: kept", floor if beyond else "",
                            "utilisation", ">=", 0.97, note=f"{count * 1000 // nap:,} tasks a second" if beyond else ""))
    return rows


def depth_section():
    rows = []
    for what, (few, many), text in (
            ("queued", plan.QUEUED, "queued"), ("future", plan.FUTURE, "due in an hour"),
            ("names", plan.NAMES, "tasks of a Python app"), ("queues", plan.QUEUES, "queues")):
        for figure, said in (("host_cpu_us", "CPU a task"), ("host_pss_mib", "memory")):
            rows.append(most(f"{many:,} {text}, × {few:,}: the host's {said}", f"{many:,} {what}", figure, 1.1, "",
                             f"{few:,} {what}"))
    return rows


section("Busy slots: kept children that sleep, busy time ÷ slots × time", *slots_section())
section("Depth: the host alone, at two sizes", *depth_section())
