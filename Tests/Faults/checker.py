"""Judges the evidence of a fault run. Pure: evidence in, a list of sentences out (empty: all promises were kept)."""
from collections import Counter, defaultdict

from evidence import SECOND

# How long after its end a run may still lose its acknowledgement to a kill, in nanoseconds: the outcome has to be
# recorded and confirmed first. That a killed broker forgets acks it hadn't yet written down is no excuse: the host
# knows what it has settled, and the result store what others have.
SETTLING = {"child": SECOND // 4, "zygote": SECOND // 4, "host": SECOND // 2, "broker": SECOND // 4}
ENDING = ("child", "zygote", "host")
SHOWN = 5


def ended_by(evidence, run):
    """The first kill that ended this run in its middle, or None. A broker's death ends none: tasks run on meanwhile."""
    return min((kill for kill in evidence.kills if run.ended is None and kill.target in ENDING and kill.hit(run)
                and run.started <= kill.over), key=lambda kill: kill.at, default=None)


def in_flight(evidence, kill, settling=SETTLING):
    """The runs a kill may have interrupted before they were settled: not those that an earlier one had ended."""
    def ended_before(run):
        ending = ended_by(evidence, run)
        return ending is not None and ending.at < kill.at

    return [run for run in evidence.runs if kill.hit(run) and run.started <= kill.over
            and (not ended_before(run) if run.ended is None else run.ended >= kill.at - settling[kill.target])]


def left_copies(evidence, runs):
    """How many copies of a task a killed broker may have left.

    A host that loses a child publishes the task anew, with its starts counted, and acknowledges the message it had. If
    the broker dies between the two, or forgets the second, there are two messages, and two hosts may have one each at
    the same time: nothing but a lock for every task could stop them. Each such copy is worth one run.
    """
    brokers = [kill.at for kill in evidence.kills if kill.target == "broker"]

    def unsettled(kill):
        return any(kill.at < at and (evidence.forgets_acks or at <= kill.over + SETTLING["broker"]) for at in brokers)

    return sum(1 for run in runs if run.ended is None and any(
        kill.target in ("child", "zygote") and kill.hit(run) and unsettled(kill) for kill in evidence.kills))


def excused(evidence):
    """At how many kills each run was in flight, by Python's id of it."""
    return Counter(id(run) for kill in evidence.kills for run in in_flight(evidence, kill))


def links_again(evidence, key, runs, in_flight_ones):
    """How often a link may have been sent once more: a task's links go out before it is settled, so at each kill that
    hit it they may have been sent, and they are sent again. Each of the messages runs, as with Celery.
    """
    return sum(in_flight_ones[id(run)] for run in runs.get(evidence.follows.get(key), ()))


def allowed_extra(evidence):
    """How many runs the kills may have cost, all together."""
    runs, in_flight_ones = by_key(evidence.runs), excused(evidence)
    return (sum(len(in_flight(evidence, kill)) for kill in evidence.kills)
            + sum(left_copies(evidence, all_runs) for all_runs in runs.values())
            + sum(links_again(evidence, key, runs, in_flight_ones) for key in evidence.follows))


def by_key(runs):
    found = defaultdict(list)
    for run in runs:
        found[run.key].append(run)
    return found


def check(evidence):
    problems = []

    def report(what, keys):
        keys = sorted(keys)
        if keys:
            more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            problems.append(f"{len(keys)} tasks {what}: {', '.join(keys[:SHOWN])}{more}")

    runs = by_key(evidence.runs)
    completed = {run.key for run in evidence.runs if run.ended is not None}

    report("were never run to their end", evidence.tasks - completed)
    report("were run though nobody sent them", set(runs) - evidence.tasks)
    report("have no result", evidence.tasks - set(evidence.results))
    report("have a result that isn't theirs",
           [key for key, found in evidence.results.items() if found != ("SUCCESS", key)])
    report("were ended in their middle though no kill hit them",
           {run.key for run in evidence.runs if run.ended is None and ended_by(evidence, run) is None})
    in_flight_ones = excused(evidence)
    report("were run again though no kill interrupted them",
           {key for key, all_runs in runs.items()
            if sum(id(run) not in in_flight_ones for run in all_runs[:-1])
            > left_copies(evidence, all_runs) + links_again(evidence, key, runs, in_flight_ones)})
    extra = len(evidence.runs) - len(runs)
    allowed = allowed_extra(evidence)
    if extra > allowed:
        problems.append(f"{extra} extra runs, but only {allowed} were in flight at the kills")
    if evidence.waiting:
        problems.append(f"{evidence.waiting} messages are still in the queue")
    if evidence.dead:
        problems.append(f"{evidence.dead} messages were dead-lettered")
    if evidence.left_processes:
        problems.append(f"processes were left behind: {evidence.left_processes}")
    return problems


def running(evidence):
    """How many runs had begun and not ended at the kills that could reach them, all together."""
    at_once = dict.fromkeys(SETTLING, 0)
    return sum(len(in_flight(evidence, kill, at_once)) for kill in evidence.kills)


def summary(evidence):
    kills = Counter(kill.target for kill in evidence.kills)
    extra = len(evidence.runs) - len({run.key for run in evidence.runs})
    return (f"{len(evidence.tasks)} tasks, {len(evidence.runs)} runs ({extra} extra; {running(evidence)} ran at kills, "
            f"with what may not have been settled {allowed_extra(evidence)}), {len(evidence.results)} results, "
            f"kills: {dict(sorted(kills.items()))}")
