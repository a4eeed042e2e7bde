"""How fast a full queue is worked off: preload, start, and read the tally while it runs."""
import mmap
import os
import shutil
import signal
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from lab import amqp, bundles, processes, settings
from lab.worker import Worker
from watcher import Watcher

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "build")
COUNTERS, STRIDE = 256, 64
PATIENCE = 120  # seconds for one variant
EVENTS_PER_TASK = 3  # received, started, succeeded


@dataclass
class Variant:
    name: str
    kind: str   # pool, zygote, host
    task: str
    count: int
    redis: bool = False
    in_flight: int = 1
    events: bool = False


class Tally:
    """Reads what tally.h writes."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.truncate(STRIDE * (COUNTERS + 1))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def read(self):
        """(tasks done, first, last) in nanoseconds of CLOCK_MONOTONIC."""
        used = min(struct.unpack_from("Q", self.map, 0)[0], COUNTERS)
        found = [struct.unpack_from("QQQ", self.map, STRIDE * (place + 1)) for place in range(used)]
        busy = [one for one in found if one[0]]
        return (sum(one[0] for one in busy), min((one[1] for one in busy), default=0),
                max((one[2] for one in busy), default=0))


class Throughput:
    def __init__(self, folder, children):
        self.folder = folder
        self.children = children
        self.broker = settings.server("AMQP_URL")
        self.redis = settings.server("REDIS_URL")
        self.queues = amqp.Queues()
        self.runs = 0

    def variants(self, scale, floor_only=False):
        many, few = int(40_000 * scale), int(12_000 * scale)
        kept, fresh = "bench.add", "bench.add_fresh"
        found = [
            Variant("floor pool", "pool", kept, many),
            Variant("host kept", "host", kept, many),
            Variant("floor zygote", "zygote", fresh, few),
            Variant("host fresh", "host", fresh, few),
            Variant("floor pool, redis", "pool", kept, many // 2, redis=True),
            Variant("host kept, redis", "host", kept, many // 2, redis=True),
            Variant("floor zygote, redis", "zygote", fresh, few, redis=True),
            Variant("host fresh, redis", "host", fresh, few, redis=True),
            Variant("host kept, events", "host", kept, many, events=True),
            Variant("host fresh, events", "host", fresh, few, events=True),
            Variant("floor pool, 16 in flight", "pool", kept, many, in_flight=16),
        ]
        return [one for one in found if one.kind != "host" or not floor_only]

    def measure(self, variant):
        """Rate: tasks after the first, by the time between the first and the last (so starting up is left out).
        CPU: of the worker's whole tree, from the first twentieth of the tasks to the last."""
        self.runs += 1
        folder = os.path.join(self.folder, f"run-{self.runs}")
        os.mkdir(folder)
        tally_path = os.path.join(folder, "tally")
        tally = Tally(tally_path)
        queue = self.queues.new("bench")
        subprocess.run([os.path.join(BUILD, "preload"), self.broker, queue, str(variant.count), variant.task,
                        "keep" if variant.redis else "ignore"], check=True)
        watcher = Watcher(self.broker) if variant.events else None
        start = self.start_host if variant.kind == "host" else self.start_floor
        runner = start(variant, folder, queue, tally_path)
        try:
            early = self.wait(runner, tally, max(1, variant.count // 20))
            late = self.wait(runner, tally, variant.count)
        finally:
            runner.finish()
        done, first, last = tally.read()
        seen = watcher.finish(EVENTS_PER_TASK * variant.count) if watcher else 0
        left = self.queues.ready(queue)
        self.queues.channel.queue_delete(queue)
        shutil.rmtree(folder)
        if left or done != variant.count:
            raise AssertionError(f"{variant.name}: {done} of {variant.count} done, {left} left in the queue")
        return {"rate": (done - 1) / (last - first) * 1e9, "count": done, "events": seen,
                "cpu_us": (late[1] - early[1]) / max(1, late[0] - early[0]) * 1e6}

    def wait(self, runner, tally, count):
        """Until so many are done; (tasks, CPU seconds of the tree) then."""
        end = time.monotonic() + PATIENCE
        while (done := tally.read()[0]) < count:
            if not runner.running or time.monotonic() > end:
                raise AssertionError(f"stopped at {done} of {count} tasks\n{runner.tail()}")
            time.sleep(0.005)
        return done, processes.cpu_seconds([runner.pid, *processes.descendants(runner.pid)])

    def start_floor(self, variant, folder, queue, tally_path):
        words = [os.path.join(BUILD, "floor"), variant.kind, self.broker, queue, tally_path, str(self.children),
                 str(variant.in_flight)]
        if variant.redis:
            words.append(urlsplit(self.redis).netloc)
        return Floor(words, os.path.join(folder, "log"))

    def start_host(self, variant, folder, queue, tally_path):
        plugin = bundles.build_c(os.path.join(HERE, "bundle", "bench.c"), folder, [f'TALLY="{tally_path}"'],
                                 [os.path.join(HERE, "floor")])
        return Host(os.path.join(folder, "host"), self.broker, self.redis if variant.redis else None, queue, [plugin],
                    slots=self.children, level="WARNING", options=["-E"] if variant.events else [])


class Floor:
    def __init__(self, words, log):
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        threading.Thread(target=self.process.wait, daemon=True).start()

    @property
    def running(self):
        return self.process.poll() is None

    def tail(self):
        with open(self.log) as file:
            return file.read()

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class Host(Worker):
    def finish(self):
        self.close()
