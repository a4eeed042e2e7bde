"""Millions of no-op tasks through one host: is it at the end as it was at the start?

    SUITE=sustained Benchmarks/run [--count 10000000] [--samples 20]

Kept children, RabbitMQ, results ignored; the queue is filled again and again while the host works. After each sample's tasks:
memory (PSS of the family), descriptors of the host, rate, CPU of the host a task, and how long a task takes from send to start
when the queue is empty. The exit status is 1 when the last quarter has more than the second by a tenth (memory, CPU a task), more
descriptors, or half as much latency again.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from goals.latency import send  # noqa: E402
from lab import amqp, clients, processes, settings  # noqa: E402
from workers import Host, Tally, own_cpu_us, preload, pss_mib, tree, wait_until  # noqa: E402

PORTION = 100_000  # messages in the queue at once
LATENCIES = 200
# Figure: how much more the last quarter may have than the second. The first is left out: allocators fill.
BOUNDS = {"pss_mib": 1.1, "descriptors": 1.0, "host_cpu_us": 1.1, "start_p50_ms": 1.5}


def arguments():
    one = argparse.ArgumentParser(prog="SUITE=sustained Benchmarks/run", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--count", type=int, default=10_000_000, help="tasks (default 10,000,000)")
    one.add_argument("--samples", type=int, default=20, help="how often it is looked at (default 20)")
    one.add_argument("--quick", action="store_true", help="40,000 tasks, 4 samples: does it work")
    return one.parse_args()


def sample(host, tally, queue, app, count):
    began, cpu, before = time.monotonic(), own_cpu_us(host.pid), tally.done()
    while (done := tally.done() - before) < count:
        portion = min(PORTION, count - done)
        preload(queue, portion, "bench.add")
        wait_until(host, "a portion", lambda: tally.done() - before >= done + portion, 600, every=0.02)
    row = {"tasks": tally.done(), "rate": count / (time.monotonic() - began),
           "host_cpu_us": (own_cpu_us(host.pid) - cpu) / count}
    sent, _ = send(app, queue, LATENCIES, None)
    wait_until(host, "every start", lambda: all(at > due for at, due in zip(tally.stamps(len(sent)), sent)))
    starts = [(at - due) / 1e6 for at, due in zip(tally.stamps(len(sent)), sent)]
    return {**row, "start_p50_ms": statistics.median(starts), "pss_mib": pss_mib(tree(host)),
            "descriptors": processes.descriptors(host.pid)}


def grown(rows):
    """What grew beyond its bound: lines."""
    quarter = max(1, len(rows) // 4)
    early, late = rows[quarter:2 * quarter] or rows[:1], rows[-quarter:]
    found = []
    for figure, bound in BOUNDS.items():
        before, after = (statistics.median(row[figure] for row in part) for part in (early, late))
        if after > before * bound:
            found.append(f"{figure}: {before:.2f} in the second quarter, {after:.2f} in the last")
    return found


def main():
    given = arguments()
    count, samples = (40_000, 4) if given.quick else (given.count, given.samples)
    results = os.path.join(HERE, "results")
    os.makedirs(results, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="taskhost-bench-") as folder, \
            open(os.path.join(results, time.strftime("sustained-%Y%m%d-%H%M%S.jsonl")), "w") as file:
        tally, queues = Tally(os.path.join(folder, "tally")), amqp.Queues()
        queue = queues.new("sustained")
        app = clients.app(settings.server("AMQP_URL"), None)
        host = Host(os.path.join(folder, "host"), settings.server("AMQP_URL"), None, queue, tally.path)
        try:
            for _ in range(samples):
                row = sample(host, tally, queue, app, count // samples)
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
                print("  " + ", ".join(f"{key} {value:,.2f}" for key, value in row.items()), flush=True)
        finally:
            app.close()
            host.finish()
            queues.close()
    for line in (found := grown(rows)):
        print(f"grew: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
