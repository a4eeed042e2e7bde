"""Every goal of taskhost in one run: the host beside the floor and, with --peers, beside other workers.

    make bench ARGUMENTS="--peers"              # builds, then runs everything: about 20 minutes
    Benchmarks/run --quick                      # one small round: does it work
    Benchmarks/run --only "kept,floor pool"     # measurements whose name contains one of these
    Benchmarks/run --render FILE.jsonl          # docs/performance.md and its plots from an earlier run

Rounds are outside and measurements inside, so that what else the machine does falls on all alike; ratios are taken within a
round, and the median of the rounds counts. Each measurement is a line of JSON in results/. One that fails is reported, the
rest goes on, and the exit status is 1.
"""
import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(ROOT, "Tests", "Support")]
from goals import cross, plots, render  # noqa: E402
from goals.ground import Ground  # noqa: E402
from goals.plan import PLAN, chosen  # noqa: E402
from python_workers import Peers  # noqa: E402

PAGE = os.path.join(ROOT, "docs", "performance.md")
PLOTS = os.path.join(ROOT, "docs", "performance")


def arguments():
    one = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--rounds", type=int, default=5, help="rounds (default 5; medians are taken over them)")
    one.add_argument("--quick", action="store_true", help="one small round; short runs say nothing about rates")
    one.add_argument("--only", default="", metavar="NAMES", help="only measurements whose name contains one of these, with "
                     "commas between")
    one.add_argument("--floor-only", action="store_true", help="what this machine can do, without taskhost")
    one.add_argument("--peers", action="store_true", help="Celery, Dramatiq, RQ and mayu, too: installed from PyPI into "
                     "Benchmarks/build/peers the first time")
    one.add_argument("--check-floor", metavar="FOLDER", help="another floor's sources: its programs run beside ours")
    one.add_argument("--render", metavar="FILE", nargs="?", const="", help="write docs/performance.md and its plots from "
                     "FILE; without FILE, from what was measured now")
    return one.parse_args()


def read(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def write_page(rows):
    """Lines without a name tell of the run itself."""
    about = next(row["about"] for row in rows if "about" in row)
    found = [row for row in rows if "name" in row]
    with open(PAGE) as file:
        text = render.page(file.read(), found, about)
    with open(PAGE, "w") as file:
        file.write(text)
    plots.write(found, PLOTS)
    print(f"written: {os.path.relpath(PAGE)}, {os.path.relpath(PLOTS)}/*.svg")


def about(rounds, peers, quick):
    servers = "RabbitMQ with two schedulers" if os.environ.get("WITH_SERVERS_SCHEDULERS") == "2" else "RabbitMQ"
    date = time.strftime("%d %B %Y").lstrip("0")
    return (f"{date}: {platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}, {servers}, "
            f"{rounds} round{'s' if rounds > 1 else ''}, {'with' if peers else 'without'} peers; load average when it began: "
            f"{os.getloadavg()[0]:.1f}.{' In the quick form: its short runs say nothing about rates.' if quick else ''}")


def say(number, name, row, seconds):
    skipped = ("round", "name", "size")
    said = ", ".join(f"{key} {render.plain(value)}" for key, value in row.items()
                     if key not in skipped and not isinstance(value, list))
    print(f"  round {number + 1}  {name:38} {said}  [{seconds:.1f} s]", flush=True)


def in_turn(names, number):
    """Of a floor and the one that checks it each goes first in every other round: who comes second finds a warm broker."""
    names = list(names)
    for place in range(len(names) - 1):
        if number % 2 and names[place + 1] == f"check: {names[place]}":
            names[place], names[place + 1] = names[place + 1], names[place]
    return names


def run(ground, names, rounds, file):
    """Rows, and (round, name) of what failed."""
    rows, failed = [], []
    for number in range(rounds):
        for name in in_turn(names, number):
            one = PLAN[name]
            if number >= one.rounds:
                continue
            began = time.monotonic()
            try:
                row = {"round": number, "name": name, **one.function(ground, **one.how)}
            except Exception:
                # Whatever it was: the others are measured, and the status tells.
                print(f"  round {number + 1}  {name}: FAILED\n{traceback.format_exc()}", flush=True)
                failed.append((number + 1, name))
                ground.recover()
                continue
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
            say(number, name, row, time.monotonic() - began)
    return rows, failed


def main():
    given = arguments()
    if given.render:
        write_page(read(given.render))
        return 0
    rounds = 1 if given.quick else given.rounds
    peers = Peers(given.peers)
    has = ({"peers"} if given.peers else set()) | ({"mayu"} if peers.mayu else set())
    has |= {"check"} if given.check_floor else set()
    names = chosen(has, given.only, given.floor_only)
    if not names:
        print(f"error: no measurement has a name with {given.only!r}; there are: {', '.join(PLAN)}", file=sys.stderr)
        return 64
    results = os.path.join(HERE, "results")
    os.makedirs(results, exist_ok=True)
    path = os.path.join(results, time.strftime("table-%Y%m%d-%H%M%S.jsonl"))
    print(f"{len(names)} measurements, {rounds} rounds -> {path}")
    folder = tempfile.mkdtemp(prefix="taskhost-bench-")
    began = time.monotonic()
    try:
        with open(path, "w") as file:
            said = about(rounds, given.peers, given.quick)
            file.write(json.dumps({"about": said}) + "\n")
            other = cross.build(given.check_floor) if given.check_floor else None
            ground = Ground(folder, peers, 0.1 if given.quick else 1.0, check_floor=other)
            rows, failed = run(ground, names, rounds, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{said} {(time.monotonic() - began) / 60:.1f} minutes.\n\n{render.goals(rows)}\n\n{render.measured(rows)}\n\n"
          f"{render.checks(rows)}")
    if given.render is not None:
        write_page(read(path))
    for number, name in failed:
        print(f"failed: round {number}, {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
