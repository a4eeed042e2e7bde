"""taskhost beside Celery with results in one store: a full queue until every result is there.

    Tests/Support/with-servers "$(Tests/Support/venv)" Benchmarks/stores.py [--store NAME …]
        [--count 20000] [--rounds 3] [--children 2] [--fresh] [--only taskhost|celery]

Stores: postgresql and mysql (which sync their disk), redis, mongodb, memcached, sqlite. Both run `tasks.add` from
RabbitMQ, in children that are kept (Celery knows no others; --fresh: taskhost forks one for each task). Rounds are
outside, the two inside, and the ratio is taken within a round. CPU is that of the worker with its children, a task.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from lab import amqp, clients, processes, settings  # noqa: E402
from lab.wait import until  # noqa: E402
from lab.worker import Worker  # noqa: E402
from places import PLACES  # noqa: E402

PATIENCE = 900
# Counting takes a part of the cores that are measured.
EVERY = 0.1
PYTHON = """
import celery
app = celery.Celery("bench", broker={broker!r}, backend={backend!r})
app.conf.worker_prefetch_multiplier = 64
@app.task(name="tasks.add")
def add(a, b):
    return a + b
"""


class Taskhost:
    name = "taskhost"

    def __init__(self, folder, queue, place, asked):
        kept = [] if asked.fresh else ["--isolation", "keep:1000000"]
        self.worker = Worker(folder, settings.server("AMQP_URL"), place.ours, queue,
                             [settings.dist("plugins", "arithmetic.so")], slots=asked.children, level="WARNING",
                             options=kept)
        self.pid = self.worker.pid

    def stop(self):
        self.worker.close()


class Celery:
    name = "Celery"

    def __init__(self, folder, queue, place, asked):
        os.mkdir(folder)
        with open(os.path.join(folder, "bench_app.py"), "w") as file:
            file.write(PYTHON.format(broker=settings.server("AMQP_URL"), backend=place.theirs))
        words = [sys.executable, "-B", "-m", "celery", "-A", "bench_app", "worker", "-Q", queue, "-c",
                 str(asked.children), "-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        with open(os.path.join(folder, "log"), "w") as log:
            self.process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        self.pid = self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def measure(number, folder, place, count, kind, asked):
    """Results a second, from the first that are seen to the last; CPU microseconds a result between the same two."""
    place.begin(number)
    app = clients.app(settings.server("AMQP_URL"), place.theirs)
    if place.makes_tables:
        app.backend.get_state("x")
    queues = amqp.Queues()
    queue = queues.new()
    with app.producer_pool.acquire(block=True) as producer:
        for one in range(count):
            app.send_task("tasks.add", (one, 1), queue=queue, producer=producer)
    worker = kind(os.path.join(folder, f"worker{number}"), queue, place, asked)

    def seen():
        found = place.count()
        return (found, time.monotonic(), processes.cpu_seconds([worker.pid, *processes.descendants(worker.pid)]))

    def seen_beyond(least):
        found = seen()
        return found if found[0] >= least else None

    first = until("the first results", lambda: seen_beyond(1), PATIENCE, EVERY)
    last = until("all results", lambda: seen_beyond(count), PATIENCE, EVERY)
    worker.stop()
    queues.close()
    app.close()
    place.end()
    done = last[0] - first[0]
    return done / (last[1] - first[1]), (last[2] - first[2]) / done * 1e6


def rounds(store, asked, folder):
    place = PLACES[store](folder)
    kinds = [kind for kind in (Taskhost, Celery) if asked.only in ("", kind.name.lower())]
    found = {kind.name: [] for kind in kinds}
    number = 0
    for _ in range(asked.rounds):
        for kind in kinds:
            number += 1
            count = asked.count if kind is Taskhost else max(500, asked.count // 10)
            found[kind.name].append(measure(number, folder, place, count, kind, asked))
        last = [(name, rows[-1]) for name, rows in found.items()]
        print(f"{store}, round {len(found[kinds[0].name])}: "
              + ", ".join(f"{name} {rate:.0f}/s ({cpu:.0f} us CPU)" for name, (rate, cpu) in last), flush=True)
    place.close()
    middle = [f"{name} {statistics.median(rate for rate, _ in rows):.0f}/s" for name, rows in found.items()]
    if len(kinds) == 2:
        ratios = [ours[0] / theirs[0] for ours, theirs in zip(*found.values())]
        middle.append(f"{statistics.median(ratios):.1f} times ({min(ratios):.1f}-{max(ratios):.1f})")
    print(f"{store}, medians: " + ", ".join(middle), flush=True)


def main():
    one = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--store", choices=sorted(PLACES), nargs="+", default=["postgresql"])
    one.add_argument("--count", type=int, default=20_000)
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--children", type=int, default=2)
    one.add_argument("--fresh", action="store_true")
    one.add_argument("--only", choices=["taskhost", "celery"], default="")
    asked = one.parse_args()
    for store in asked.store:
        with tempfile.TemporaryDirectory() as folder:
            rounds(store, asked, folder)


main()
