"""What the Python benchmark measures: one function a row, each for one worker; the worker is started for it."""
import os
import statistics
import subprocess
import time

from lab import amqp, processes
from python_workers import APPS, Filling, Host, Started, Tally, environment, wait_for

HOLDERS = 8
PACE = 0.01  # seconds between two tasks of the latency row


class Rows:
    def __init__(self, folder, peers, children, scale):
        self.folder, self.peers, self.children, self.scale = folder, peers, children, scale
        self.filling = Filling(peers)
        self.queues = amqp.Queues()
        self.runs = 0

    def new_run(self):
        self.runs += 1
        folder = os.path.join(self.folder, f"run-{self.runs}")
        os.mkdir(folder)
        return folder, Tally(os.path.join(folder, "tally"))

    # ---- a full queue ----

    def throughput(self, kind, count, broker="amqp", results=False):
        """Tasks a second, and CPU µs a task of the worker's whole tree, from the first twentieth of the tasks to the last."""
        count = max(20, int(count * self.scale))
        folder, tally = self.new_run()
        queue = self.queues.new("bench") if broker == "amqp" else f"bench-{os.getpid()}-{self.runs}"
        if kind == "rq":
            self.filling.rq(queue, count)
        elif kind == "mayu":
            self.filling.mayu(count)
        elif broker == "amqp":
            self.filling.rabbitmq(queue, count, results)
        else:
            self.filling.redis_queue(queue, count)
        runner = self.start(kind, folder, queue, tally, broker, results)
        try:
            early, late = (self.reached(runner, tally, wanted) for wanted in (max(1, count // 20), count))
        finally:
            runner.finish()
        tasks = late[0] - early[0]
        return {"rate": tasks / (late[1] - early[1]), "cpu_us": (late[2] - early[2]) / tasks * 1e6}

    @staticmethod
    def reached(runner, tally, count):
        done = wait_for(runner, lambda: (seen := tally.done()) >= count and seen)
        tree = [*runner.pids, *(pid for one in runner.pids for pid in processes.descendants(one))]
        return done, time.monotonic(), processes.cpu_seconds(tree)

    def start(self, kind, folder, queue, tally, broker="amqp", results=False):
        url = self.filling.broker if broker == "amqp" else self.filling.redis_url
        seen = environment(folder, tally, BENCH_REDIS_URL=self.filling.redis_url, NOOP_RESULTS="1" if results else "")
        if kind == "rq":
            return Started(folder, [[self.peers.python, "rq_noop.py", queue]] * self.children, seen)
        if kind == "mayu":
            return Started(folder, [[self.peers.mayu, "worker", "mayu_noop:app", "--mode", "process", "--processes",
                                     str(self.children), "--log-level", "WARNING"]], seen)
        store = self.filling.redis_url if results else None
        if kind.startswith("celery"):
            more = ["--max-tasks-per-child", "1"] if kind == "celery fresh" else []
            return self.celery(folder, seen, "noop", url, queue, self.children, store, more)
        return self.taskhost(folder, seen, "noop", url, queue, self.children, store,
                             ["--isolation", "fresh" if kind == "fresh" else "keep:1000000"])

    def celery(self, folder, seen, app, url, queue, children, store=None, more=()):
        words = [self.peers.python, "-m", "celery", "-A", app, "-b", url, *(["--result-backend", store] if store else []),
                 "worker", "-Q", queue, "-l", "WARNING", "-n", f"{queue}@%h", "-c", str(children), *more]
        return Started(folder, [words], seen)

    def taskhost(self, folder, seen, app, url, queue, children, store=None, more=(), wait=True):
        words = ["-A", app, "--workdir", APPS, "--python", self.peers.python, "-b", url, "--result-backend",
                 store or "none", "worker", "-Q", queue, "-l", "WARNING", "-c", str(children), *more]
        return Host(os.path.join(folder, "host"), words, seen, wait)

    # ---- forks alone ----

    def forks(self, count):
        _, tally = self.new_run()
        told = subprocess.run([self.peers.python, "fork_floor.py", "noop", str(max(20, int(count * self.scale)))],
                              cwd=APPS, env=environment(self.folder, tally), capture_output=True, text=True, check=True)
        rate, cpu, faults = map(float, told.stdout.split())
        return {"rate": rate, "cpu_us": cpu, "faults": faults}

    # ---- an app that imports Django and numpy ----

    def memory(self, kind):
        """PSS of the whole tree in MiB, when each of eight processes has run a task."""
        folder, tally = self.new_run()
        queue = self.queues.new("bench")
        self.send("heavy.hold", queue, HOLDERS)
        start = self.celery if kind == "celery" else self.taskhost
        runner = start(folder, environment(folder, tally), "heavy", self.filling.broker, queue, HOLDERS)
        try:
            wait_for(runner, lambda: tally.done() >= HOLDERS)
            tree = [*runner.pids, *(pid for one in runner.pids for pid in processes.descendants(one))]
            return {"pss_mib": sum(map(pss_kib, tree)) / 1024, "processes": len(tree)}
        finally:
            runner.finish()

    def first_task(self, kind):
        """Seconds from exec to the first task, whose message waits; `import`: of a bare import of the app."""
        folder, tally = self.new_run()
        seen = environment(folder, tally)
        began = time.monotonic_ns()
        if kind == "import":
            subprocess.run([self.peers.python, "-c", "import heavy"], cwd=APPS, env=seen, check=True)
            return {"seconds": (time.monotonic_ns() - began) / 1e9}
        queue = self.queues.new("bench")
        self.send("heavy.first", queue, 1)
        began = time.monotonic_ns()
        if kind == "celery":
            runner = self.celery(folder, seen, "heavy", self.filling.broker, queue, self.children)
        else:
            runner = self.taskhost(folder, seen, "heavy", self.filling.broker, queue, self.children, wait=False)
        try:
            return {"seconds": (wait_for(runner, tally.first) - began) / 1e9}
        finally:
            runner.finish()

    def send(self, task, queue, count):
        app = self.client()
        for _ in range(count):
            app.send_task(task, queue=queue, ignore_result=True)
        app.close()

    def client(self, store=None):
        import celery
        return celery.Celery(broker=self.filling.broker, backend=store, task_create_missing_queues=True,
                             set_as_current=False)

    # ---- one task at a time ----

    def latency(self, kind, count):
        """Milliseconds from send to result, the median, of tasks sent 100 a second."""
        count = max(20, int(count * self.scale))
        folder, tally = self.new_run()
        queue = self.queues.new("bench")
        runner = self.start(kind, folder, queue, tally, results=True)
        app = self.client(self.filling.redis_url)
        took = []
        try:
            app.send_task("noop.add", (1, 2), queue=queue).get(timeout=60)
            due = time.perf_counter()
            for number in range(count):
                due += PACE
                time.sleep(max(0.0, due - time.perf_counter()))
                began = time.perf_counter()
                app.send_task("noop.add", (number, 1), queue=queue).get(timeout=60, interval=0.001)
                took.append(time.perf_counter() - began)
        finally:
            app.close()
            runner.finish()
        return {"p50_ms": statistics.median(took) * 1e3, "p99_ms": sorted(took)[len(took) * 99 // 100] * 1e3}


def pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (FileNotFoundError, ProcessLookupError):
        return 0  # ended meanwhile
