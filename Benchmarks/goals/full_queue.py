"""How fast a full queue is worked off: filled first, then the worker starts, and the tally is read while it runs."""
import os
import shutil
from urllib.parse import urlsplit

from goals import cross
from lab import processes
from lab.wait import until
from watcher import Watcher
from workers import EVENTS_PER_TASK, Floor, Host, own_cpu_us, preload, reply_queue, tree, wait_until

KEPT, FRESH, BLOB = "bench.add", "bench.add_fresh", "bench.blob"


def measure(ground, worker, count, broker="amqp", results=None, quorum=False, size=0, events=False, in_flight=1, batch=False):
    """`worker`: kept or fresh (taskhost), pool, zygote or lanes (the floor; "check pool" …: of --check-floor).

    Rate: tasks after the first, by the time between the first and the last, so that starting up is left out. CPU a task:
    of the whole tree, and of the host's process alone, from the first twentieth of the tasks to the last."""
    count = ground.scaled(count)
    folder, tally = ground.new_run()
    if worker.startswith("check "):
        tally = cross.Tally(os.path.join(folder, "other-tally"))
    is_host = worker in ("kept", "fresh")
    task = BLOB if size else FRESH if worker == "fresh" else KEPT
    queue = ground.new_queue(quorum) if broker == "amqp" else f"bench-{ground.runs}"
    reply = reply_queue(ground.queues) if results == "rpc" else None
    if broker == "amqp":
        preload(queue, count, task, *(["--bytes", size] if size else []), *(["--reply-to", reply] if reply else []),
                results=bool(results))
    else:
        ground.filling.redis_queue(queue, count, task, bool(results))
    watcher = Watcher(ground.amqp_url) if events else None
    url = ground.amqp_url if broker == "amqp" else ground.redis_url
    if is_host:
        runner = Host(os.path.join(folder, "host"), url, ground.backend(results), queue, tally.path,
                      options=["-E"] if events else [], wait=False)
    else:
        # Of large messages no more are held than a host holds.
        how = dict(in_flight=in_flight, batch=batch, results=floor_results(ground, results), prefetch=16 if size > 10**5 else 256)
        start = cross.start if worker.startswith("check ") else start_floor
        runner = start(ground, os.path.join(folder, "log"), worker.split()[-1], url, queue, tally.path, **how)
    try:
        early, late = (reached(runner, tally, wanted) for wanted in (max(1, count // 20), count))
    finally:
        runner.finish()
    done, first, last = tally.read()
    seen = watcher.finish(EVENTS_PER_TASK * count) if watcher else 0
    if not worker.startswith("check "):  # which ends without a last acknowledgement
        check(ground, broker, queue, done, count)
    if results == "rpc" and is_host:
        until("every result", lambda: ground.queues.ready(reply) == count, 10)
    if broker == "amqp":
        ground.drop(queue)
    if reply:
        ground.queues.channel.queue_delete(reply)
    ground.redis.flushdb()
    shutil.rmtree(folder)
    tasks = late[0] - early[0]
    found = {"rate": (done - 1) / (last - first) * 1e9, "cpu_us": (late[1] - early[1]) / tasks * 1e6}
    if is_host:
        found["host_cpu_us"] = (late[2] - early[2]) / tasks
    return {**found, **({"events": seen} if events else {})}


def floor_results(ground, results):
    return {None: None, "rpc": "rpc", "redis": f"redis://{urlsplit(ground.redis_url).netloc}"}[results]


def start_floor(_, log, mode, url, queue, tally, prefetch=256, more=(), **how):
    return Floor(log, mode, url, queue, tally, more=["--prefetch", str(prefetch), *more], **how)


def reached(runner, tally, count):
    done = wait_until(runner, f"{count} tasks", lambda: (seen := tally.done()) >= count and seen)
    return done, processes.cpu_seconds(tree(runner)), own_cpu_us(runner.pid)


def check(ground, broker, queue, done, count):
    """Nothing is left, and nothing ran twice."""
    if broker == "amqp":
        until(f"{queue} to be empty", lambda: ground.queues.ready(queue) == 0, 10)
    elif ground.redis.llen(queue) or ground.redis.hlen("unacked"):
        raise AssertionError(f"{ground.redis.llen(queue)} left in the list, {ground.redis.hlen('unacked')} not acknowledged")
    if done != count:
        raise AssertionError(f"{done} tasks of {count} were done")


def peer(ground, **how):
    """A peer with its own client: python_rows.py."""
    return ground.peer_rows.throughput(**how)
