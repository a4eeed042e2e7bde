"""What a task costs the host, and what the host has in memory, at two sizes of something that may grow."""
import os

from lab.wait import until
from python_workers import environment
from python_workers import Tally as AppTally
from workers import Host, own_cpu_us, preload, pss_mib, wait_until

HOUR = 3600
PATIENCE = 400


def queued(ground, size, tasks):
    """So many wait in the queue; the first tasks of them are counted."""
    folder, tally = ground.new_run()
    queue = ground.new_queue()
    preload(queue, size, "bench.add")
    runner = host(ground, folder, queue, tally)
    try:
        return cost(runner, tally.done, tasks)
    finally:
        runner.finish()
        ground.drop(queue)


def future(ground, size, tasks):
    """So many are due in an hour, and were taken and put away by the host."""
    folder, tally = ground.new_run()
    queue = ground.new_queue()
    preload(queue, size, "bench.add", "--eta", HOUR)
    runner = host(ground, folder, queue, tally)
    try:
        until("all to be put away", lambda: ground.queues.ready(queue) == 0, PATIENCE, every=0.1)
        # They are worked off as they come: the first tenth of them may be over before it is looked at.
        before = own_cpu_us(runner.pid)
        preload(queue, tasks, "bench.add")
        wait_until(runner, f"{tasks} tasks", lambda: tally.done() >= tasks)
        return {"host_cpu_us": (own_cpu_us(runner.pid) - before) / tasks, "host_pss_mib": pss_mib([runner.pid])}
    finally:
        runner.finish()
        ground.drop(queue)


def queues(ground, size, tasks):
    """So many queues are served, with their messages in turn."""
    folder, tally = ground.new_run()
    base = f"many{ground.runs}-"
    channel = ground.queues.channel
    for number in range(size):
        channel.queue_declare(f"{base}{number}", durable=True, auto_delete=False)
    preload(base, tasks, "bench.add", "--queues", size)
    runner = host(ground, folder, ",".join(f"{base}{number}" for number in range(size)), tally)
    try:
        return cost(runner, tally.done, tasks)
    finally:
        runner.finish()
        for number in range(size):
            channel.queue_delete(f"{base}{number}")


def names(ground, size, tasks):
    """An app of Python has so many tasks, which come in turn: each often enough that its first run, which no other is
    put behind since nobody knows how long it takes, does not count for half."""
    rows = ground.peer_rows
    folder, _ = rows.new_run()
    tally = AppTally(os.path.join(folder, "tally"))
    queue = ground.new_queue()
    preload(queue, tasks, "noop.named", "--names", size)
    seen = environment(folder, tally, NOOP_NAMES=str(size))
    runner = rows.taskhost(folder, seen, "noop", ground.amqp_url, queue, 2, None, ["--isolation", "keep:1000000"], wait=False)
    try:
        return cost(runner, tally.done, tasks)
    finally:
        runner.finish()
        ground.drop(queue)


def host(ground, folder, queue, tally):
    return Host(os.path.join(folder, "host"), ground.amqp_url, None, queue, tally.path, wait=False)


def cost(runner, done, tasks):
    """Between the first tenth and nine tenths of the tasks."""
    def reached(count):
        return wait_until(runner, f"{count} tasks", lambda: (seen := done()) >= count and seen), own_cpu_us(runner.pid)
    early, late = reached(tasks // 10), reached(tasks * 9 // 10)
    return {"host_cpu_us": (late[1] - early[1]) / (late[0] - early[0]), "host_pss_mib": pss_mib([runner.pid])}


GROWING = {"queued": queued, "future": future, "names": names, "queues": queues}


def measure(ground, what, size, tasks):
    """In the quick form the largest sizes are a tenth."""
    if ground.scale < 1 and size >= 100_000:
        size //= 10
    return {"size": size, **GROWING[what](ground, size, ground.scaled(tasks, 2000))}
