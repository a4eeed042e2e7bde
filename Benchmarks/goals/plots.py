"""The plots of docs/performance.md, from the rows of a run."""
import os
import statistics

from goals import plan, svg
from goals.arithmetic import figures
from goals.latency import QUANTILES


def middle(rows, name, figure):
    values = figures(rows, name, figure).values()
    return statistics.median(values) if values else None


def columns(rows, figure, series, groups):
    """Only the series that were measured. `series`: (text, a name for each group, "" where there is none)."""
    found = [(text, [middle(rows, name, figure) for name in names]) for text, names in series]
    return [(text, values) for text, values in found if any(value is not None for value in values)], groups


def payload(rows):
    series, groups = columns(rows, "rate", [
        ("floor pool", ["floor pool", "10 kB: floor pool", "1 MB: floor pool"]),
        ("floor pool, batched", ["floor pool, batched", "10 kB: floor pool, batched", "1 MB: floor pool, batched"]),
        ("taskhost", ["kept", "10 kB: kept", "1 MB: kept"]),
        ("Celery", ["celery", "10 kB: celery", "1 MB: celery"])], ["two numbers", "10 kB", "1 MB"])
    return svg.bars("Tasks a second by size of the arguments (kept, classic queue)", "tasks/s", groups, series, decades=True)


def rates(rows):
    series, groups = columns(rows, "rate", [
        ("floor", ["floor pool, batched", "quorum: floor pool, batched", "redis results: floor pool, batched",
                   "rpc results: floor pool, batched", "floor lanes", "redis: floor pool, batched", "sqlite: bare loop"]),
        ("taskhost", ["kept", "quorum: kept", "redis results: kept", "rpc results: kept", "fresh", "redis: kept",
                      "sqlite: kept"]),
        ("Celery", ["celery", "", "redis results: celery", "rpc results: celery", "celery fresh", "redis: celery", ""]),
        ("mayu", ["", "", "", "", "", "redis: mayu", ""])],
        ["classic", "quorum", "Redis results", "rpc results", "fresh", "on Redis", "on SQLite"])
    return svg.bars("Tasks a second, two children", "tasks/s", groups, series, decades=True)


def slots(rows):
    groups = [f"{count} × {nap} ms" for count in plan.SLOTS for nap in plan.NAPS_MS]
    names = [f"{count} slots × {nap} ms" for count in plan.SLOTS for nap in plan.NAPS_MS]
    series, groups = columns(rows, "rate", [("floor pool", [f"{name}: floor pool" for name in names]),
                                            ("taskhost", [f"{name}: kept" for name in names])], groups)
    return svg.bars("Tasks a second by slots and by the length of a task", "tasks/s", groups, series, decades=True)


def latency(rows):
    series = []
    for text, name, figure in (("floor, start", "latency, start: floor pool", "start"),
                               ("taskhost, start", "latency, start: kept", "start"),
                               ("floor, Redis result", "latency, redis result: floor pool", "result"),
                               ("taskhost, Redis result", "latency, redis result: kept", "result")):
        found = figures(rows, name, f"{figure}_quantiles_ms").values()
        if found:
            series.append((text, [statistics.median(at) for at in zip(*found)]))
    return svg.lines("From send to start and to result, 100 tasks a second", "ms", "percent of the tasks within",
                     QUANTILES, series)


def depth(rows):
    pairs = [(f"{few:,} → {many:,} {what}", f"{few:,} {what}", f"{many:,} {what}") for what, (few, many) in
             (("queued", plan.QUEUED), ("future", plan.FUTURE), ("names", plan.NAMES), ("queues", plan.QUEUES))]
    series, groups = columns(rows, "host_cpu_us", [("the smaller", [one[1] for one in pairs]),
                                                   ("the larger", [one[2] for one in pairs])], [one[0] for one in pairs])
    return svg.bars("The host's CPU a task as things grow", "µs a task", groups, series)


PLOTS = {"rates": rates, "payload": payload, "slots": slots, "latency": latency, "depth": depth}


def write(rows, folder):
    os.makedirs(folder, exist_ok=True)
    for name, plot in PLOTS.items():
        with open(os.path.join(folder, f"{name}.svg"), "w") as file:
            file.write(plot(rows))
