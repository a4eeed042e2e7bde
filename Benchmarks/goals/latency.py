"""From send to start, and from send to result at a stock client, of tasks sent 100 a second."""
import os
import statistics
import time

from goals.full_queue import floor_results, start_floor
from lab import clients
from workers import Host, wait_until

PACE_NS = 10_000_000
WARM_UP = 50
QUANTILES = [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99]


def measure(ground, worker, count, results=None):
    """`worker`: kept (taskhost) or pool (the floor), with two children. Milliseconds."""
    count = ground.scaled(count, 100)
    folder, tally = ground.new_run()
    queue = ground.new_queue()
    if worker == "kept":
        runner = Host(os.path.join(folder, "host"), ground.amqp_url, ground.backend(results), queue, tally.path)
    else:
        runner = start_floor(ground, os.path.join(folder, "log"), worker, ground.amqp_url, queue, tally.path,
                             results=floor_results(ground, results), more=["--stamps"])
    app = clients.app(ground.amqp_url, ground.backend(results))
    try:
        sent, got = send(app, queue, count, results)
        wait_until(runner, "every start", lambda: all(tally.stamps(len(sent))), 30)
        starts = [(at - before) / 1e6 for at, before in zip(tally.stamps(len(sent)), sent)][WARM_UP:]
        times = [(at - before) / 1e6 for at, before in zip(got, sent)][WARM_UP:]
    finally:
        app.close()
        runner.finish()
        ground.drop(queue)
        ground.redis.flushdb()
    return {**figures("start", starts), **(figures("result", times) if results else {})}


def send(app, queue, count, results):
    """When each was sent, and when its result was there."""
    sent, got, due = [], [], time.monotonic_ns()
    for number in range(count + WARM_UP):
        due += PACE_NS
        time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
        sent.append(time.monotonic_ns())
        answer = app.send_task("bench.stamp", (number,), queue=queue, ignore_result=not results)
        if results:
            answer.get(timeout=20, interval=0.5)
            got.append(time.monotonic_ns())
    return sent, got


def figures(name, times):
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98], f"{name}_quantiles_ms": [cuts[q - 1] for q in QUANTILES]}


def peer(ground, kind, count):
    """Celery, from send to result in Redis."""
    found = ground.peer_rows.latency(kind, count)
    return {f"result_{key}": value for key, value in found.items()}
