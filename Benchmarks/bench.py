"""taskhost beside the floor: tasks per second of a full queue, CPU per task, and the way from publish to result.

Rounds are outside and variants inside, so that what else the machine does falls on all alike; ratios are taken within
a round, and the median of the rounds counts.
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
import latency  # noqa: E402
import throughput  # noqa: E402

RATIOS = [
    # name, one variant, the one it is compared with, the least that is expected
    ("kept / pool", "host kept", "floor pool", 0.60),
    ("fresh / zygote", "host fresh", "floor zygote", 0.60),
    ("kept + redis / pool + redis", "host kept, redis", "floor pool, redis", None),
    ("fresh + redis / zygote + redis", "host fresh, redis", "floor zygote, redis", None),
    ("kept + events / kept", "host kept, events", "host kept", None),
    ("fresh + events / fresh", "host fresh, events", "host fresh", 0.90),
]


def arguments():
    one = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__)
    one.add_argument("--rounds", type=int, default=5, help="rounds (default 5; medians are taken over them)")
    one.add_argument("--quick", action="store_true", help="one small round: does it work at all, for CI")
    one.add_argument("--only", default="", help="only variants whose name contains this")
    one.add_argument("--children", type=int, default=2, help="children of the host and of the floor (default 2)")
    one.add_argument("--floor-only", action="store_true", help="without taskhost: what this machine can do")
    return one.parse_args()


def show(rows, chosen):
    print(f"\n{'variant':32} {'tasks/s':>9} {'min':>8} {'max':>8} {'CPU us/task':>12}")
    for variant in chosen:
        found = [row for row in rows if row["variant"] == variant.name]
        rates = [row["rate"] for row in found]
        cpu = statistics.median(row["cpu_us"] for row in found)
        print(f"{variant.name:32} {statistics.median(rates):9.0f} {min(rates):8.0f} {max(rates):8.0f} {cpu:12.1f}")


def show_ratios(rows):
    """Within each round, then the median. Returns the names that stay below what is expected."""
    by = {(row["variant"], row["round"]): row["rate"] for row in rows}
    short = []
    print(f"\n{'ratio':32} {'median':>9} {'min':>8} {'max':>8}")
    for name, host, floor, least in RATIOS:
        values = [rate / by[floor, number] for (variant, number), rate in sorted(by.items())
                  if variant == host and (floor, number) in by]
        if not values:
            continue
        middle = statistics.median(values)
        note = "" if least is None else f"  (expected: at least {least:.2f})"
        print(f"{name:32} {middle:9.2f} {min(values):8.2f} {max(values):8.2f}{note}")
        if least is not None and middle < least:
            short.append(name)
    return short


def main():
    given = arguments()
    rounds = 1 if given.quick else given.rounds
    scale = 0.1 if given.quick else 1.0
    results = os.path.join(HERE, "results")
    os.makedirs(results, exist_ok=True)
    path = os.path.join(results, time.strftime("%Y%m%d-%H%M%S.jsonl"))
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}; {rounds} rounds -> {path}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="taskhost-bench-") as folder, open(path, "w") as file:
        bench = throughput.Throughput(folder, given.children)
        chosen = [variant for variant in bench.variants(scale, floor_only=given.floor_only)
                  if given.only in variant.name]
        for number in range(rounds):
            for variant in chosen:
                row = {"round": number, "variant": variant.name, **bench.measure(variant)}
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                print(f"  round {number + 1}  {variant.name:32} {row['rate']:9.0f}/s", flush=True)
        show(rows, chosen)
        short = show_ratios(rows)
        if not given.floor_only:
            for line in latency.measure(folder, given.children, 100 if given.quick else 1000):
                print(line)
    if short:
        print("below what is expected: " + ", ".join(short))


if __name__ == "__main__":
    main()
