"""Judges the evidence of a fault run. Pure: evidence in, a list of sentences out (empty: all promises were kept)."""
from collections import Counter, defaultdict

from evidence import SECOND

# How long after its end a run may still lose its acknowledgement to a kill, in nanoseconds: the outcome has to be
# recorded and confirmed first. That a killed broker forgets acks it hadn't yet written down is no excuse: the host
# knows what it has settled, and the result store what others have.
SETTLING = {"child": SECOND // 4, "zygote": SECOND // 4, "host": SECOND // 2, "broker": SECOND // 4}
SHOWN = 5


def in_flight(evidence, kill):
    """The runs a kill may have interrupted before they were settled."""
    return [run for run in evidence.runs if kill.hit(run) and run.started <= kill.over
            and (run.ended is None or run.ended >= kill.at - SETTLING[kill.target])]


def left_copies(evidence, runs):
    """How many copies of a task a broker that forgets acknowledgements may have left.

    A host that loses a child publishes the task anew, with its starts counted, and acknowledges the message it had.
    If that is forgotten there are two messages, and two hosts may have one each at the same time: nothing but a lock
    for every task could stop them. Each such copy is worth one run.
    """
    if not evidence.forgets_acks:
        return 0
    last = max((kill.at for kill in evidence.kills if kill.target == "broker"), default=0)
    return sum(1 for run in runs if run.ended is None and any(
        kill.target in ("child", "zygote") and kill.hit(run) and kill.at < last for kill in evidence.kills))


def check(evidence):
    problems = []

    def report(what, keys):
        keys = sorted(keys)
        if keys:
            more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            problems.append(f"{len(keys)} tasks {what}: {', '.join(keys[:SHOWN])}{more}")

    runs = defaultdict(list)
    for run in evidence.runs:
        runs[run.key].append(run)
    completed = {run.key for run in evidence.runs if run.ended is not None}

    report("were never run to their end", evidence.tasks - completed)
    report("were run though nobody sent them", set(runs) - evidence.tasks)
    report("have no result", evidence.tasks - set(evidence.results))
    report("have a result that isn't theirs",
           [key for key, found in evidence.results.items() if found != ("SUCCESS", key)])
    excused = {id(run) for kill in evidence.kills for run in in_flight(evidence, kill)}
    report("were run again though no kill interrupted them",
           {key for key, all_runs in runs.items()
            if sum(id(run) not in excused for run in all_runs[:-1]) > left_copies(evidence, all_runs)})
    extra = len(evidence.runs) - len(runs)
    allowed = sum(len(in_flight(evidence, kill)) for kill in evidence.kills)
    if extra > allowed:
        problems.append(f"{extra} extra runs, but only {allowed} were in flight at the kills")
    if evidence.waiting:
        problems.append(f"{evidence.waiting} messages are still in the queue")
    if evidence.dead:
        problems.append(f"{evidence.dead} messages were dead-lettered")
    if evidence.left_processes:
        problems.append(f"processes were left behind: {evidence.left_processes}")
    return problems


def summary(evidence):
    kills = Counter(kill.target for kill in evidence.kills)
    extra = len(evidence.runs) - len({run.key for run in evidence.runs})
    allowed = sum(len(in_flight(evidence, kill)) for kill in evidence.kills)
    return (f"{len(evidence.tasks)} tasks, {len(evidence.runs)} runs ({extra} extra, {allowed} in flight at kills), "
            f"{len(evidence.results)} results, kills: {dict(sorted(kills.items()))}")
