"""taskhost beside Celery with results in one database that syncs its disk: a full queue until every row is there.

    Tests/Support/with-servers "$(Tests/Support/venv)" Benchmarks/stores.py [--store postgresql|mysql]
        [--count 20000] [--rounds 3] [--children 2]

Both run `tasks.add` from RabbitMQ; rounds are outside, the two inside, and the ratio is taken within a round.
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
from lab import amqp, clients, databases, settings  # noqa: E402
from lab.wait import until  # noqa: E402
from lab.worker import Worker  # noqa: E402

PATIENCE = 900
STORES = {"postgresql": databases.OnPostgreSQL, "mysql": databases.OnMariaDB}
PYTHON = """
import celery
app = celery.Celery("bench", broker={broker!r}, backend={backend!r})
app.conf.worker_prefetch_multiplier = 64
@app.task(name="tasks.add")
def add(a, b):
    return a + b
"""


def measure(place, name, count, start):
    """Results a second, from the first row to the last."""
    database = f"bench_{name}"
    place.make_database(database)
    url = place.server.url(database=database)
    app = clients.app(settings.server("AMQP_URL"), place.stock(url))
    app.backend.get_state("x")  # makes the tables
    queues = amqp.Queues()
    queue = queues.new()
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(count):
            app.send_task("tasks.add", (number, 1), queue=queue, producer=producer)
    stop = start(queue, "db+" + url, app)

    def rows():
        return int(place.server.sql("SELECT count(*) FROM celery_taskmeta WHERE status = 'SUCCESS'", database))

    first = until("the first results", lambda: rows() or None, PATIENCE)
    begin = time.monotonic()
    until("all results", lambda: rows() >= count, PATIENCE, every=0.05)
    rate = (count - first) / (time.monotonic() - begin)
    stop()
    queues.close()
    app.close()
    return rate


def main():
    one = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--store", choices=sorted(STORES), default="postgresql")
    one.add_argument("--count", type=int, default=20_000)
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--children", type=int, default=2)
    asked = one.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = STORES[asked.store](folder, settings.server("TLS_DIR"), syncs=True)
        place.server.start()
        place.server.wait_until_ready()
        made = iter(range(1000))

        def taskhost(queue, backend, _):
            worker = Worker(os.path.join(folder, f"w{next(made)}"), settings.server("AMQP_URL"), backend, queue,
                            [settings.dist("plugins", "arithmetic.so")], slots=asked.children, level="WARNING")
            return worker.close

        def celery(queue, backend, app):
            place = os.path.join(folder, f"c{next(made)}")
            os.mkdir(place)
            with open(os.path.join(place, "bench_app.py"), "w") as file:
                file.write(PYTHON.format(broker=app.conf.broker_url, backend=app.conf.result_backend))
            worker = subprocess.Popen(
                [sys.executable, "-B", "-m", "celery", "-A", "bench_app", "worker", "-Q", queue, "-c",
                 str(asked.children), "-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"],
                cwd=place)

            def stop():
                worker.terminate()
                worker.wait(60)
            return stop

        ratios = []
        for number in range(asked.rounds):
            ours = measure(place, "taskhost", asked.count, taskhost)
            theirs = measure(place, "celery", max(500, asked.count // 10), celery)
            ratios.append(ours / theirs)
            print(f"round {number + 1}, {asked.store}: taskhost {ours:.0f}/s, Celery {theirs:.0f}/s, {ratios[-1]:.1f} times", flush=True)
        print(f"median: {statistics.median(ratios):.1f} times")
        place.server.close()


main()
