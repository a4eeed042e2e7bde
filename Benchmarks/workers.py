"""The C workers of the benchmark, the host and the floor; the tally they share; and what fills queues of RabbitMQ."""
import mmap
import os
import signal
import struct
import subprocess
import threading
import time
import uuid

from lab import bundles, processes, settings
from lab.worker import Worker

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "build")
PATIENCE = 60  # seconds for one run
FILLING_PATIENCE = 300
EVENTS_PER_TASK = 3  # received, started, succeeded
COUNTERS, STRIDE, STAMPS, SPANS = 256, 64, 65536, 65536
STAMPS_AT = STRIDE * (COUNTERS + 1)
SPANS_AT = STAMPS_AT + 8 * STAMPS


class Tally:
    """Reads what floor/tally.h writes. Times are nanoseconds of CLOCK_MONOTONIC."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(SPANS_AT + 8 + 16 * SPANS + mmap.PAGESIZE)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def read(self):
        """(tasks done, first, last)."""
        used = min(struct.unpack_from("Q", self.map, 0)[0], COUNTERS)
        found = [struct.unpack_from("QQQ", self.map, STRIDE * (place + 1)) for place in range(used)]
        busy = [one for one in found if one[0]]
        return (sum(one[0] for one in busy), min((one[1] for one in busy), default=0),
                max((one[2] for one in busy), default=0))

    def done(self):
        return self.read()[0]

    def stamps(self, count):
        """When tasks 0, 1, … started; 0: not yet."""
        return struct.unpack_from(f"{count}Q", self.map, STAMPS_AT)

    def spans(self):
        """From when to when each task slept."""
        used = min(struct.unpack_from("Q", self.map, SPANS_AT)[0], SPANS)
        flat = struct.unpack_from(f"{2 * used}Q", self.map, SPANS_AT + 8)
        return list(zip(flat[::2], flat[1::2]))


class Runs:
    """A folder and a tally for each run of a benchmark."""

    def __init__(self, folder, tally):
        self.folder, self.make_tally = folder, tally
        self.runs = 0

    def new_run(self):
        self.runs += 1
        folder = os.path.join(self.folder, f"run-{self.runs}")
        os.mkdir(folder)
        return folder, self.make_tally(os.path.join(folder, "tally"))


class Floor:
    """A program of floor/: mode is pool, zygote or lanes. `words` in place of it: another program."""

    def __init__(self, log, mode="", url="", queue="", tally="", children=2, in_flight=1, batch=False, results=None,
                 more=(), words=None, environment=None):
        self.log = log
        words = words or [
            os.path.join(BUILD, "floor"), mode, "--url", url, "--queue", queue, "--tally", tally,
            "--children", str(children), "--in-flight", str(in_flight), *(["--batch"] if batch else []),
            *(["--results", results] if results else []), *more]
        with open(log, "wb") as output:
            self.process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT,
                                            env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        self.pids = [self.pid]
        threading.Thread(target=self.process.wait, daemon=True).start()

    @property
    def running(self):
        return self.process.poll() is None

    def tail(self):
        with open(self.log) as file:
            return file.read()

    def finish(self):
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class Host(Worker):
    """taskhost with the benchmark's bundle. `tally`: the path its tasks write to."""

    def __init__(self, folder, broker, results, queues, tally, slots=2, options=(), wait=True):
        plugin = bundles.build_c(os.path.join(HERE, "bundle", "bench.c"), os.path.dirname(folder),
                                 [f'TALLY="{tally}"'], [os.path.join(HERE, "floor")])
        super().__init__(folder, broker, results, queues, [plugin], slots=slots, level="WARNING", options=options, wait=wait)
        self.pids = [self.pid]

    def finish(self):
        self.close()


def preload(queue, count, task, *more, results=False):
    """Fills a queue of RabbitMQ: floor/preload.c."""
    words = [os.path.join(BUILD, "preload"), "--url", settings.server("AMQP_URL"), "--queue", queue, "--count", str(count),
             "--task", task, *(["--results"] if results else []), *map(str, more)]
    subprocess.run(words, check=True, timeout=FILLING_PATIENCE)


def reply_queue(queues):
    """As clients name theirs; a host sends results to no others."""
    name = str(uuid.uuid4())
    queues.channel.queue_declare(name, durable=False, auto_delete=False)
    return name


def tree(runner):
    return [*runner.pids, *(pid for one in runner.pids for pid in processes.descendants(one))]


def own_cpu_us(pid):
    """CPU of one process so far, its children's left out: to the nanosecond where the kernel says so."""
    total = 0
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e3
    except FileNotFoundError:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def pss_mib(pids):
    """Memory of processes together: what they share is counted once."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended meanwhile
    return total / 1024


def wait_until(runner, what, probe, seconds=PATIENCE, every=0.005):
    """Until `probe()` gives something; over as soon as the runner ends."""
    end = time.monotonic() + seconds
    while not (found := probe()):
        if not runner.running or time.monotonic() > end:
            raise AssertionError(f"waited for {what}\n{runner.tail()}")
        time.sleep(every)
    return found
