"""What events cost at a steady pace: 10,000 tasks a minute from a stock client, without and with a monitor attached.

    Tests/Support/with-servers "$(Tests/Support/venv)" Benchmarks/paced.py [--seconds N] [--rounds N]

A host keeps the pace, or it does not: "behind" is how many tasks were not done when the last one had been sent. CPU is
that of the host's whole process tree, per task; the ratio is taken within a round, and the median counts. Needs
`make build`.
"""
import argparse
import os
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from lab import amqp, bundles, clients, processes, settings  # noqa: E402
from lab.wait import until  # noqa: E402
from lab.worker import Worker  # noqa: E402
from watcher import Watcher  # noqa: E402
from workers import EVENTS_PER_TASK, Tally  # noqa: E402

PER_MINUTE = 10_000


def send_steadily(app, queue, count, per_second):
    """Each at its time; whoever is late does not wait. Returns how late the last one was, in seconds."""
    began = time.monotonic()
    for number in range(count):
        due = began + number / per_second
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)
        app.send_task("bench.add_fresh", (number, 1), queue=queue)
    return time.monotonic() - due


def measure(folder, seconds, events):
    os.mkdir(folder)
    tally_path = os.path.join(folder, "tally")
    tally = Tally(tally_path)
    plugin = bundles.build_c(os.path.join(HERE, "bundle", "bench.c"), folder, [f'TALLY="{tally_path}"'],
                             [os.path.join(HERE, "floor")])
    queues = amqp.Queues()
    queue = queues.new("bench")
    broker = settings.server("AMQP_URL")
    count = PER_MINUTE * seconds // 60
    watcher = Watcher(broker) if events else None
    host = Worker(os.path.join(folder, "host"), broker, settings.server("REDIS_URL"), queue, [plugin], slots=2,
                  level="WARNING", options=["-E"] if events else [])
    app = clients.app(broker, None)
    try:
        def cpu():
            return processes.cpu_seconds([host.pid, *processes.descendants(host.pid)])
        before = cpu()
        late = send_steadily(app, queue, count, PER_MINUTE / 60)
        behind = count - tally.read()[0]
        until("every task", lambda: tally.read()[0] == count, 60)
        used = cpu() - before
    finally:
        app.close()
        host.close()
    seen = watcher.finish(EVENTS_PER_TASK * count) if watcher else 0
    queues.close()
    _, first, last = tally.read()
    return {"rate": (count - 1) / (last - first) * 60e9, "behind": behind, "late": late, "cpu_us": used / count * 1e6,
            "lost": EVENTS_PER_TASK * count - seen if watcher else 0}


def main():
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seconds", type=int, default=60, help="of sending, each time (default 60)")
    given.add_argument("--rounds", type=int, default=3, help="each without and with events (default 3)")
    given = given.parse_args()
    rows = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="taskhost-bench-") as folder:
        for number in range(given.rounds):
            for events in (False, True):
                row = measure(os.path.join(folder, f"{number}-{events}"), given.seconds, events)
                rows[events].append(row)
                print(f"round {number + 1} {'with events' if events else 'without':12} {row['rate']:7.0f}/min, behind "
                      f"{row['behind']}, {row['cpu_us']:.0f} us of CPU a task, sender late {row['late'] * 1e3:.0f} ms, "
                      f"{row['lost']} events lost", flush=True)
    for what in ("rate", "cpu_us"):
        ratios = [one[what] / other[what] for one, other in zip(rows[True], rows[False])]
        print(f"{what:7} with / without: median {statistics.median(ratios):.3f} "
              f"({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
