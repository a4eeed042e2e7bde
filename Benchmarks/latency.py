"""From publish to result at a stock client, one task at a time on an idle host."""
import os
import time

from lab import amqp, bundles, clients, settings
from lab.worker import Worker
from throughput import HERE, Tally

WARM_UP = 20


def measure(folder, children, count):
    """Lines with median and 99th percentile, in milliseconds, for kept and fresh children, Redis and rpc results."""
    yield f"\n{'publish to result, ms':32} {'p50':>9} {'p99':>8}"
    for name, backend in (("redis", settings.server("REDIS_URL")), ("rpc", "rpc://")):
        for kind, task in (("kept", "bench.add"), ("fresh", "bench.add_fresh")):
            times = sorted(round_trips(os.path.join(folder, f"latency-{name}-{kind}"), backend, task, children, count))
            yield (f"host {kind}, {name:24} {times[len(times) // 2] * 1e3:10.2f} "
                   f"{times[min(len(times) - 1, len(times) * 99 // 100)] * 1e3:8.2f}")


def round_trips(folder, backend, task, children, count):
    os.mkdir(folder)
    tally_path = os.path.join(folder, "tally")
    Tally(tally_path)
    plugin = bundles.build_c(os.path.join(HERE, "bundle", "bench.c"), folder, [f'TALLY="{tally_path}"'],
                             [os.path.join(HERE, "floor")])
    queues = amqp.Queues()
    queue = queues.new("bench")
    broker = settings.server("AMQP_URL")
    host = Worker(os.path.join(folder, "host"), broker, backend, queue, [plugin], slots=children, level="WARNING")
    app = clients.app(broker, backend)
    try:
        for number in range(count + WARM_UP):
            began = time.perf_counter()
            app.send_task(task, (number, 1), queue=queue).get(timeout=20, interval=0.001)
            if number >= WARM_UP:
                yield time.perf_counter() - began
    finally:
        app.close()
        host.close()
        queues.close()
