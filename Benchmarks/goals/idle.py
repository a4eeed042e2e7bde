"""What an idle worker has in memory, and how soon a new one runs its first task."""
import os
import time

from goals.full_queue import start_floor
from python_workers import Tally as AppTally
from python_workers import environment, wait_for
from workers import Host, preload, pss_mib, tree, wait_until

SETTLING = 3  # seconds after which an idle host has let go of what only its start needed


def memory(ground, worker, slots, used=True):
    """PSS of the family in MiB; `used`: each slot has run a task, whose child is kept."""
    folder, tally = ground.new_run()
    queue = ground.new_queue()
    if worker == "pool":
        runner = start_floor(ground, os.path.join(folder, "log"), "pool", ground.amqp_url, queue, tally.path,
                             children=slots, more=["--nap", "300000"])
    else:
        runner = Host(os.path.join(folder, "host"), ground.amqp_url, None, queue, tally.path, slots=slots)
    try:
        if used:
            preload(queue, slots, "bench.nap", "--json", "0.3")
            wait_until(runner, "a task in every slot", lambda: tally.done() >= slots)
        time.sleep(SETTLING)  # what is measured is how it is then
        family = tree(runner)
        return {"pss_mib": pss_mib(family), "host_pss_mib": pss_mib([runner.pid]), "processes": len(family)}
    finally:
        runner.finish()
        ground.drop(queue)


def peer_memory(ground, children):
    """Celery's prefork worker with one small app, each child having run a task."""
    rows = ground.peer_rows
    folder, tally = rows.new_run()
    queue = ground.new_queue()
    preload(queue, 200, "noop.add")
    runner = rows.celery(folder, environment(folder, tally), "noop", ground.amqp_url, queue, children)
    try:
        wait_for(runner, lambda: tally.done() >= 200)
        time.sleep(SETTLING)
        family = tree(runner)
        return {"pss_mib": pss_mib(family), "processes": len(family)}
    finally:
        runner.finish()
        ground.drop(queue)


def first_task(ground, worker):
    """Seconds from exec to the first task, whose message waits."""
    queue = ground.new_queue()
    if worker == "celery":
        return peer_first_task(ground, queue)
    folder, tally = ground.new_run()
    preload(queue, 1, "bench.add")
    if worker == "pool":
        began = time.monotonic_ns()
        runner = start_floor(ground, os.path.join(folder, "log"), "pool", ground.amqp_url, queue, tally.path)
    else:
        runner = Host(os.path.join(folder, "host"), ground.amqp_url, None, queue, tally.path, wait=False)
        began = runner.started_at * 1e9  # just before exec; the bundle was built before
    try:
        wait_until(runner, "the first task", lambda: tally.done() >= 1, every=0.002)
        return {"seconds": (tally.read()[1] - began) / 1e9}
    finally:
        runner.finish()
        ground.drop(queue)


def peer_first_task(ground, queue):
    rows = ground.peer_rows
    folder, _ = rows.new_run()
    tally = AppTally(os.path.join(folder, "tally"))
    preload(queue, 1, "noop.add")
    began = time.monotonic_ns()
    runner = rows.celery(folder, environment(folder, tally), "noop", ground.amqp_url, queue, 2)
    try:
        wait_for(runner, lambda: tally.done() >= 1)  # looks every 10 ms
        return {"seconds": (time.monotonic_ns() - began) / 1e9}
    finally:
        runner.finish()
        ground.drop(queue)
