"""Python tasks beside Celery's prefork worker: the same app, the same messages, rounds in turn; medians of the rounds.

    Tests/Support/with-servers .venv/bin/python Benchmarks/python.py --rounds 5
"""
import argparse
import array
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from lab import amqp, processes, python, settings  # noqa: E402
from throughput import Floor, Host  # noqa: E402

APPS = os.path.join(HERE, "apps")
PLACES = 65536
PATIENCE = 180  # seconds for one variant


class Tally:
    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(PLACES * 8)

    def done(self):
        with open(self.path, "rb") as file:
            return sum(array.array("Q", file.read()))


class Celery(Floor):
    def __init__(self, folder, broker, redis, queue, environment, options):
        words = [sys.executable, "-m", "celery", "-A", "noop", "-b", broker, *(["--result-backend", redis] if redis else []),
                 "worker", "-Q", queue, "-l", "WARNING", "-n", f"{queue}@%h", *options]
        self.log = os.path.join(folder, "celery.log")
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(words, cwd=APPS, env={**os.environ, **environment}, stdout=output,
                                            stderr=subprocess.STDOUT)
        self.pid = self.process.pid

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bench:
    def __init__(self, folder, children):
        self.folder, self.children = folder, children
        self.broker, self.redis = settings.server("AMQP_URL"), settings.server("REDIS_URL")
        self.queues = amqp.Queues()
        self.runs = 0

    def measure(self, kind, count, results):
        self.runs += 1
        folder = os.path.join(self.folder, f"run-{self.runs}")
        os.mkdir(folder)
        tally = Tally(os.path.join(folder, "tally"))
        queue = self.queues.new("bench")
        subprocess.run([os.path.join(HERE, "build", "preload"), self.broker, queue, str(count), "noop.add",
                        "keep" if results else "ignore"], check=True)
        runner = self.start(kind, folder, queue, results, {"NOOP_TALLY": tally.path, "NOOP_RESULTS": "1" if results else ""})
        try:
            early = self.wait(runner, tally, max(1, count // 20))
            late = self.wait(runner, tally, count)
        finally:
            runner.finish()
        self.queues.channel.queue_delete(queue)
        tasks = late[0] - early[0]
        return tasks / (late[1] - early[1]), (late[2] - early[2]) / tasks * 1e6

    def start(self, kind, folder, queue, results, environment):
        redis = self.redis if results else None
        if kind.startswith("celery"):
            options = ["-c", str(self.children)] + (["--max-tasks-per-child", "1"] if kind == "celery fresh" else [])
            return Celery(folder, self.broker, redis, queue, environment, options)
        options = python.options(folder, names=[*python.NAMES, *environment])
        return Host(os.path.join(folder, "host"), self.broker, redis, queue, [python.bundle()], slots=self.children,
                    level="WARNING", environment={**python.environment("noop", workdir=APPS), **environment},
                    options=[*options, "--isolation", "keep:1000000" if kind == "kept" else "fresh"])

    def wait(self, runner, tally, count):
        """Until so many are done: (tasks, time, CPU seconds of the tree) then."""
        end = time.monotonic() + PATIENCE
        while (done := tally.done()) < count:
            if not runner.running or time.monotonic() > end:
                raise AssertionError(f"stopped at {done} of {count} tasks\n{runner.tail()}")
            time.sleep(0.01)
        return done, time.monotonic(), processes.cpu_seconds([runner.pid, *processes.descendants(runner.pid)])


def main():
    one = argparse.ArgumentParser(description=__doc__)
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--scale", type=float, default=1.0, help="more or fewer messages")
    one.add_argument("--only", default="", help="only variants whose name contains this")
    one.add_argument("--children", type=int, default=2)
    given = one.parse_args()
    variants = [("kept", 20000, False), ("celery prefork", 6000, False), ("kept", 10000, True),
                ("celery prefork", 4000, True), ("fresh", 1500, False), ("celery fresh", 40, False)]
    named = [(kind + (", results" if results else ""), kind, int(count * given.scale), results)
             for kind, count, results in variants]
    named = [variant for variant in named if given.only in variant[0]]
    seen = {}
    with tempfile.TemporaryDirectory(prefix="taskhost-bench-") as folder:
        bench = Bench(folder, given.children)
        for number in range(given.rounds):
            for name, kind, count, results in named:
                seen.setdefault(name, []).append(bench.measure(kind, count, results))
                print(f"  round {number + 1}  {name:24} {seen[name][-1][0]:9.1f}/s {seen[name][-1][1]:8.1f} us", flush=True)
    print(f"\n{'variant':24} {'tasks/s':>9} {'min':>8} {'max':>8} {'CPU us/task':>12}")
    for name, found in seen.items():
        rates = [rate for rate, _ in found]
        print(f"{name:24} {statistics.median(rates):9.1f} {min(rates):8.1f} {max(rates):8.1f} "
              f"{statistics.median(cpu for _, cpu in found):12.1f}")
    for ours, theirs in (("kept", "celery prefork"), ("kept, results", "celery prefork, results"),
                         ("fresh", "celery fresh")):
        if ours in seen and theirs in seen:
            ratios = [one[0] / other[0] for one, other in zip(seen[ours], seen[theirs])]
            print(f"{ours} / {theirs}: {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()
