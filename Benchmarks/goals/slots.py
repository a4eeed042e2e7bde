"""How much of the time slots are busy when there always is work: tasks that sleep, in kept children."""
import os

from goals.full_queue import start_floor
from workers import Host, preload, wait_until


def measure(ground, worker, slots, milliseconds, seconds=3.0):
    """Runs as many tasks as the slots could do in so many seconds (and of 10,000 a second at most)."""
    possible = slots * 1000 / milliseconds
    count = max(2 * slots, int(min(possible, 10_000) * seconds * max(ground.scale, 0.3)))
    folder, tally = ground.new_run()
    queue = ground.new_queue()
    preload(queue, count, "bench.nap", "--json", milliseconds / 1000)
    if worker == "pool":
        runner = start_floor(ground, os.path.join(folder, "log"), "pool", ground.amqp_url, queue, tally.path,
                             children=slots, batch=True, more=["--nap", str(milliseconds * 1000)])
    else:
        runner = Host(os.path.join(folder, "host"), ground.amqp_url, None, queue, tally.path, slots=slots, wait=False)
    try:
        wait_until(runner, f"{count} tasks", lambda: tally.done() >= count)
    finally:
        runner.finish()
        ground.drop(queue)
    spans = tally.spans()
    return {"utilisation": utilisation(spans, slots), "rate": rate(spans), "count": len(spans)}


def window(spans):
    """From when on all had their first task to when the last tasks begin: of the time between first and last, the middle
    eighty percent."""
    first, last = min(one[0] for one in spans), max(one[1] for one in spans)
    return first + (last - first) // 10, last - (last - first) // 10


def utilisation(spans, slots):
    """Busy time of slots ÷ slots × time, within the window."""
    begin, end = window(spans)
    busy = sum(max(0, min(until, end) - max(since, begin)) for since, until in spans)
    return busy / (slots * (end - begin))


def rate(spans):
    begin, end = window(spans)
    return sum(begin <= until < end for _, until in spans) / (end - begin) * 1e9
