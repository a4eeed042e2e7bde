"""Python tasks beside others' workers: the same app, the same messages, rounds in turn; medians of the rounds, ratios taken
within a round. Prints a table with goals, in Markdown, and leaves each measurement as a line of JSON in results/.

    make bench SUITE=python ARGUMENTS=--peers
    SUITE=python Benchmarks/run --peers       # the same, without building
"""
import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from python_rows import Rows  # noqa: E402
from python_workers import Peers  # noqa: E402

# Name: how it is measured, with which arguments; the last: what it needs, "rq" (and numpy) or "mayu".
MEASUREMENTS = {
    "kept": ("throughput", dict(kind="kept", count=30000), None),
    "celery": ("throughput", dict(kind="celery", count=5000), None),
    # What the broker allows at most: a worker in C that decodes nothing.
    "floor pool, batched": ("floor", dict(count=30000), None),
    "quorum: kept": ("throughput", dict(kind="kept", count=30000, quorum=True), None),
    "quorum: celery": ("throughput", dict(kind="celery", count=5000, quorum=True), None),
    "quorum: floor pool, batched": ("floor", dict(count=30000, quorum=True), None),
    "kept, results": ("throughput", dict(kind="kept", count=20000, results="redis"), None),
    "celery, results": ("throughput", dict(kind="celery", count=3000, results="redis"), None),
    "redis: kept": ("throughput", dict(kind="kept", count=30000, broker="redis"), None),
    "redis: mayu": ("throughput", dict(kind="mayu", count=15000, broker="redis"), "mayu"),
    "redis: celery": ("throughput", dict(kind="celery", count=1500, broker="redis"), None),
    "fresh": ("throughput", dict(kind="fresh", count=1500), None),
    "celery fresh": ("throughput", dict(kind="celery fresh", count=40), None),
    "rq": ("throughput", dict(kind="rq", count=200, broker="redis"), "rq"),
    "forks alone": ("forks", dict(count=1500), None),
    "memory: taskhost": ("memory", dict(kind="taskhost"), "rq"),
    "memory: celery": ("memory", dict(kind="celery"), "rq"),
    "first task: import": ("first_task", dict(kind="import"), "rq"),
    "first task: taskhost": ("first_task", dict(kind="taskhost"), "rq"),
    "first task: celery": ("first_task", dict(kind="celery"), "rq"),
    "latency: kept": ("latency", dict(kind="kept", count=400), None),
    "latency: celery": ("latency", dict(kind="celery", count=400), None),
}

# What a row of the table says: text, one measurement, the other, which figure, and the goal: at least, or at most (none: it is told only).
TABLE = [
    ("kept, results ignored, RabbitMQ, × Celery prefork", "kept", "celery", "rate", ">=", 8),
    ("the floor, 16 in flight, batched, × Celery prefork: the most that is possible there", "floor pool, batched", "celery",
     "rate", ">=", None),
    ("kept, × the floor, 16 in flight, batched", "kept", "floor pool, batched", "rate", ">=", None),
    ("kept, quorum queue, × Celery prefork", "quorum: kept", "quorum: celery", "rate", ">=", 8),
    ("the floor, quorum queue, × Celery prefork", "quorum: floor pool, batched", "quorum: celery", "rate", ">=", None),
    ("kept, results in Redis, × Celery prefork", "kept, results", "celery, results", "rate", ">=", 10),
    ("Redis as broker, kept, × mayu", "redis: kept", "redis: mayu", "rate", ">=", 1.5),
    ("Redis as broker, kept, × Celery prefork", "redis: kept", "redis: celery", "rate", ">=", 25),
    ("fresh, × Celery's one task per child", "fresh", "celery fresh", "rate", ">=", 120),
    ("fresh, × RQ", "fresh", "rq", "rate", ">=", 12),
    ("fresh, × a bare fork loop", "fresh", "forks alone", "rate", ">=", 0.8),
    ("memory (PSS), 8 slots, Django and numpy, × Celery", "memory: taskhost", "memory: celery", "pss_mib", "<=", 1 / 3),
    ("exec to first task of that app, × a bare import", "first task: taskhost", "first task: import", "seconds", "<=", 1.1),
    ("latency, send to result, 100/s, kept, p50, × Celery", "latency: kept", "latency: celery", "p50_ms", "<=", 0.6),
]


def arguments():
    one = argparse.ArgumentParser(prog="SUITE=python Benchmarks/run", description=__doc__)
    one.add_argument("--rounds", type=int, default=5, help="rounds (default 5; medians are taken over them)")
    one.add_argument("--quick", action="store_true", help="one small round: does it work at all")
    one.add_argument("--only", default="", help="only measurements whose name contains one of these, with commas between")
    one.add_argument("--children", type=int, default=2, help="children of each worker (default 2)")
    one.add_argument("--peers", action="store_true", help="RQ and mayu, too, and an app with numpy: installed from PyPI "
                     "into Benchmarks/build/peers the first time")
    one.add_argument("--scale", type=float, default=1.0, help="more or fewer messages")
    return one.parse_args()


def show(rows, names):
    print("\n| measured | median | least–most | CPU µs/task |\n|---|---|---|---|")
    for name in names:
        found = [row for row in rows if row["name"] == name]
        figure = next(key for key in ("rate", "pss_mib", "seconds", "p50_ms") if key in found[0])
        unit = {"rate": "/s", "pss_mib": " MiB", "seconds": " s", "p50_ms": " ms"}[figure]
        values = [row[figure] for row in found]
        cpu = f"{statistics.median(row['cpu_us'] for row in found):,.0f}" if "cpu_us" in found[0] else ""
        print(f"| {name} | {plain(statistics.median(values))}{unit} | {plain(min(values))}–{plain(max(values))} | {cpu} |")


def show_goals(rows):
    by = {(row["name"], row["round"]): row for row in rows}
    print("\n| work | goal | reached (median of the rounds' ratios, least–most) | by CPU a task | |\n|---|---|---|---|---|")
    for text, ours, theirs, figure, way, goal in TABLE:
        ratios, cpus = [], []
        for (name, number), row in sorted(by.items()):
            other = by.get((theirs, number))
            if name == ours and other:
                ratios.append(row[figure] / other[figure])
                if "cpu_us" in row and "cpu_us" in other:
                    cpus.append(other["cpu_us"] / row["cpu_us"])
        if not ratios:
            continue
        middle = statistics.median(ratios)
        sign = "≥" if way == ">=" else "≤"
        wanted = "" if goal is None else f"{sign} {plain(goal)}"
        kept = goal is not None and (middle >= goal if way == ">=" else middle <= goal)
        said = "" if goal is None else "reached" if kept else "missed"
        print(f"| {text} | {wanted} | {plain(middle)} ({plain(min(ratios))}–{plain(max(ratios))}) | "
              f"{plain(statistics.median(cpus)) if cpus else ''} | {said} |")


def plain(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def main():
    given = arguments()
    rounds = 1 if given.quick else given.rounds
    scale = 0.1 if given.quick else given.scale
    peers = Peers(given.peers)
    has = {None} | ({"rq"} if peers.has_rq else set()) | ({"mayu"} if peers.mayu else set())
    names = [name for name, (*_, needs) in MEASUREMENTS.items()
             if needs in has and any(part in name for part in given.only.split(","))]
    results = os.path.join(HERE, "results")
    os.makedirs(results, exist_ok=True)
    path = os.path.join(results, time.strftime("python-%Y%m%d-%H%M%S.jsonl"))
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}; "
          f"{rounds} rounds -> {path}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="taskhost-bench-") as folder, open(path, "w") as file:
        bench = Rows(folder, peers, given.children, scale)
        for name in names:  # what is compiled or read from disk for the first time is not to count
            if name.startswith("first task"):
                getattr(bench, MEASUREMENTS[name][0])(**MEASUREMENTS[name][1])
        for number in range(rounds):
            for name in names:
                function, how, _ = MEASUREMENTS[name]
                row = {"round": number, "name": name, **getattr(bench, function)(**how)}
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
                said = ", ".join(f"{key} {plain(value)}" for key, value in row.items() if key not in ("round", "name"))
                print(f"  round {number + 1}  {name:22} {said}", flush=True)
    print(f"\n{time.strftime('%d %B %Y')}, load {os.getloadavg()[0]:.1f} at the end")
    show(rows, names)
    show_goals(rows)


if __name__ == "__main__":
    main()
