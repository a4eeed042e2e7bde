"""What one task costs the host's own process, builds in turn: SUITE=cost Benchmarks/run --dist OLD --dist NEW

CPU, µs a task: user and system time of the host's process alone, from the first tenth of the tasks on.
--calls: system calls a task, by name (strace).
--instructions: in user space, by callgrind; the difference of two runs of different length, so that starting up is left
out. Repeated runs differ by some thousandths, on a busy machine as well.
--check: the same of the variants in instructions.json, with the bounds given there (a stage of `make test`).
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from lab import amqp, bundles, settings  # noqa: E402
from lab.wait import until  # noqa: E402
from lab.worker import Worker  # noqa: E402
from python_workers import Filling  # noqa: E402
from workers import BUILD, Tally, preload  # noqa: E402

PATIENCE = 300  # seconds for one run
TICK = 1e6 / os.sysconf("SC_CLK_TCK")
# name: broker, task, bytes of its argument (0: two numbers), quorum, results in Redis, tasks
VARIANTS = {
    "rabbitmq kept": ("amqp", "bench.add", 0, False, False, 40_000),
    "quorum kept": ("amqp", "bench.add", 0, True, False, 40_000),
    "rabbitmq kept, results": ("amqp", "bench.add", 0, False, True, 20_000),
    "rabbitmq 10 kB": ("amqp", "bench.blob", 10_000, False, False, 10_000),
    "rabbitmq 1 MB": ("amqp", "bench.blob", 1_000_000, False, False, 400),
    "redis kept": ("redis", "bench.add", 0, False, False, 40_000),
    "redis kept, results": ("redis", "bench.add", 0, False, True, 20_000),
}


def arguments():
    one = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--dist", action="append", help="a built tree; several are run in turn")
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--only", default="", help="only variants whose name contains this")
    one.add_argument("--scale", type=float, default=1.0, help="of the numbers of tasks")
    one.add_argument("--calls", action="store_true")
    one.add_argument("--instructions", action="store_true")
    one.add_argument("--check", action="store_true")
    one.add_argument("--keep", help="folder for callgrind's output")
    return one.parse_args()


class Cost:
    def __init__(self, folder):
        self.folder = folder
        self.queues = amqp.Queues()
        self.redis_url = settings.server("REDIS_URL")
        self.filling = Filling(None)
        self.runs = 0

    def fill(self, broker, queue, count, task, size, results):
        if broker == "amqp":
            preload(queue, count, task, *(["--bytes", size] if size else []), results=results)
        else:
            self.filling.redis_queue(queue, count, task, results)

    def run(self, dist, variant, count, wrap=()):
        """Works off `count` tasks; (tasks, user µs, system µs, seconds) from the first tenth on."""
        broker, task, size, quorum, results, _ = VARIANTS[variant]
        self.runs += 1
        folder = os.path.join(self.folder, f"run-{self.runs}")
        os.mkdir(folder)
        tally = Tally(os.path.join(folder, "tally"))
        queue = self.queues.new("bench", **({"queue_type": "quorum"} if quorum else {}))
        self.fill(broker, queue, count, task, size, results)
        plugin = bundles.build_c(os.path.join(HERE, "bundle", "bench.c"), folder,
                                 [f'TALLY="{os.path.join(folder, "tally")}"'], [os.path.join(HERE, "floor")])
        os.environ["TASKHOST_TEST_DIST"] = dist
        worker = Worker(os.path.join(folder, "host"), settings.server("AMQP_URL") if broker == "amqp" else self.redis_url,
                        self.redis_url if results else None, queue, [plugin], level="WARNING", wrap=wrap, wait=False)
        try:
            early = self.wait(worker, tally, count // 10)
            late = self.wait(worker, tally, count)
        finally:
            worker.send(signal.SIGTERM)
            worker.wait(60)
            worker.close()
        self.queues.channel.queue_delete(queue)
        self.filling.redis.flushdb()
        return [b - a for a, b in zip(early, late)]

    @staticmethod
    def wait(worker, tally, count):
        end = time.monotonic() + PATIENCE
        while (done := tally.read()[0]) < count:
            if not worker.running or time.monotonic() > end:
                raise AssertionError(f"stopped at {done} of {count} tasks\n{worker.tail()}")
            time.sleep(0.002)
        with open(f"/proc/{worker.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return done, int(fields[11]) * TICK, int(fields[12]) * TICK, time.monotonic()

    def calls(self, dist, variant, count):
        report = os.path.join(self.folder, "calls")
        self.run(dist, variant, count, ["strace", "-D", "-c", "-o", report])
        found = {}
        # strace, which is no ancestor of the worker, writes it when that has ended.
        until("strace's report", lambda: os.path.exists(report) and os.path.getsize(report) > 0)
        with open(report) as file:
            for line in file:
                words = line.split()
                if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
                    found[words[-1]] = int(words[3]) / count
        return {name: round(value, 3) for name, value in found.items() if value >= 0.005}

    def plain(self, dist):
        """A copy whose program has no link to its debug information, which valgrind 3.19 cannot read."""
        folder = os.path.join(self.folder, f"plain-{abs(hash(dist))}")
        if not os.path.exists(folder):
            for part in ("libexec", "include"):
                shutil.copytree(os.path.join(dist, part), os.path.join(folder, part))
            os.mkdir(os.path.join(folder, "bin"))
            subprocess.run(["objcopy", "--strip-debug", "--remove-section=.gnu_debuglink",
                            os.path.join(dist, "bin", "taskhost"), os.path.join(folder, "bin", "taskhost")], check=True)
        return folder

    def instructions(self, dist, variant, few, many, keep=None):
        dist = self.plain(dist)
        return (self.count(dist, variant, many, keep) - self.count(dist, variant, few, keep)) / (many - few)

    def count(self, dist, variant, count, keep=None):
        report = os.path.join(keep or self.folder, f"callgrind-{variant.replace(' ', '-')}-{count}")
        self.run(dist, variant, count, [
            "env", "SWIFT_DETERMINISTIC_HASHING=1", f"LD_PRELOAD={os.path.join(BUILD, 'pidfd.so')}",
            "valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={report}"])
        with open(report) as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)[1])


BOUNDS = os.path.join(HERE, "instructions.json")
NOT_RUN = 69  # Tests/Support/stages/stage.py
MARGIN = 0.03


def check():
    """Whether all variants keep within their bounds. Prints what was counted."""
    if not shutil.which("valgrind"):
        print("not run: no valgrind (scripts/install-deps test)")
        sys.exit(NOT_RUN)
    with open(BOUNDS) as file:
        bounds = json.load(file)
    well = True
    with tempfile.TemporaryDirectory(prefix="taskhost-cost-") as folder:
        cost = Cost(folder)
        for variant, usual in bounds.items():
            found = cost.instructions(settings.dist(), variant, 300, 1500)
            print(f"{variant}: {found:.0f} instructions a task, usually {usual} ({found / usual - 1:+.1%})")
            if found > usual * (1 + MARGIN):
                print(f"  more than {MARGIN:.0%} above it: find out by --instructions --keep FOLDER and callgrind_annotate,"
                      f" or write the new figure into {os.path.relpath(BOUNDS)} and say why")
                well = False
            elif found < usual * (1 - MARGIN):
                print(f"  that is less: write it into {os.path.relpath(BOUNDS)}, so that it stays so")
    return well


def main():
    given = arguments()
    floor = os.path.join(HERE, "floor")
    subprocess.run(["make", "--silent", "-C", floor, f"OUT={BUILD}"], check=True)
    if given.check:
        sys.exit(0 if check() else 1)
    dists = given.dist or [settings.dist()]
    chosen = [name for name in VARIANTS if given.only in name]
    rows = {}
    with tempfile.TemporaryDirectory(prefix="taskhost-cost-") as folder:
        cost = Cost(folder)
        for number in range(given.rounds):
            for variant in chosen:
                count = int(VARIANTS[variant][5] * given.scale)
                for dist in dists:
                    if given.calls:
                        print(variant, dist, cost.calls(dist, variant, count), flush=True)
                        continue
                    if given.instructions:
                        found = [cost.instructions(dist, variant, count // 40, count // 10, given.keep)]
                    else:
                        tasks, user, system, seconds = cost.run(dist, variant, count)
                        found = [user / tasks, system / tasks, tasks / seconds]
                    rows.setdefault((variant, dist), []).append(found)
                    print(f"  {number + 1}  {variant:24} {dist:30}", *(f"{one:10.1f}" for one in found), flush=True)
    print("medians:", "instructions a task" if given.instructions else "user µs, system µs, tasks/s")
    for (variant, dist), found in rows.items():
        print(f"{variant:24} {dist:30}", *(f"{statistics.median(one):10.1f}" for one in zip(*found)))


if __name__ == "__main__":
    main()
