"""What the Python benchmark measures: one function a row, each for one worker; the worker is started for it."""
import os
import statistics
import subprocess
import time

from lab import amqp, processes
from python_workers import APPS, Filling, Host, Started, Tally, environment, wait_for
from workers import Floor, Runs, pss_mib, reply_queue, tree
from workers import Tally as SharedTally

HOLDERS = 8
PACE = 0.01  # seconds between two tasks of the latency row


class Rows(Runs):
    def __init__(self, folder, peers, children, scale):
        super().__init__(folder, Tally)
        self.peers, self.children, self.scale = peers, children, scale
        self.filling = Filling(peers)
        self.queues = amqp.Queues()

    # ---- a full queue ----

    def throughput(self, kind, count, broker="amqp", results=None, quorum=False, size=0):
        """Tasks a second, and CPU µs a task of the worker's whole tree, from the first twentieth of the tasks to the last.
        Results: "redis", "rpc" or none."""
        count = max(20, int(count * self.scale))
        folder, tally = self.new_run()
        queue = f"bench-{os.getpid()}-{self.runs}"
        reply = reply_queue(self.queues) if results == "rpc" else None
        if broker == "amqp" and kind != "dramatiq":
            queue = self.queues.new("bench", **({"queue_type": "quorum"} if quorum else {}))
        self.fill(kind, queue, count, broker, results, size, reply)
        runner = self.start(kind, folder, queue, tally, broker, results, quorum)
        try:
            early, late = (self.reached(runner, tally, wanted) for wanted in (max(1, count // 20), count))
        finally:
            runner.finish()
        for name in filter(None, (queue if broker == "amqp" else None, reply)):
            self.queues.channel.queue_delete(name)
        self.filling.redis.flushdb()
        tasks = late[0] - early[0]
        return {"rate": tasks / (late[1] - early[1]), "cpu_us": (late[2] - early[2]) / tasks * 1e6}

    def fill(self, kind, queue, count, broker, results, size, reply):
        if kind == "rq":
            self.filling.rq(queue, count)
        elif kind == "mayu":
            self.filling.mayu(count)
        elif kind == "dramatiq":
            self.filling.dramatiq(queue, count)
        elif broker == "amqp":
            self.filling.rabbitmq(queue, count, bool(results), size, reply)
        else:
            self.filling.redis_queue(queue, count, results=bool(results))

    @staticmethod
    def reached(runner, tally, count):
        done = wait_for(runner, lambda: (seen := tally.done()) >= count and seen)
        return done, time.monotonic(), processes.cpu_seconds(tree(runner))

    def start(self, kind, folder, queue, tally, broker="amqp", results=None, quorum=False):
        url = self.filling.broker if broker == "amqp" else self.filling.redis_url
        seen = environment(folder, tally, BENCH_REDIS_URL=self.filling.redis_url, NOOP_RESULTS="1" if results else "",
                           NOOP_RESULT_SECONDS="3600" if results else "", NOOP_QUEUE_TYPE="quorum" if quorum else "",
                           BENCH_AMQP_URL=self.filling.broker, BENCH_QUEUE=queue)
        if kind == "rq":
            return Started(folder, [[self.peers.python, "rq_noop.py", queue]] * self.children, seen)
        if kind == "mayu":
            return Started(folder, [[self.peers.mayu, "worker", "mayu_noop:app", "--mode", "process", "--processes",
                                     str(self.children), "--log-level", "WARNING"]], seen)
        if kind == "dramatiq":
            return Started(folder, [[os.path.join(os.path.dirname(self.peers.dramatiq), "dramatiq"), "dramatiq_noop", "-p",
                                     str(self.children), "-t", "1", "-Q", queue]], seen)
        store = {None: None, "redis": self.filling.redis_url, "rpc": "rpc://"}[results]
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

    def floor(self, count, quorum=False):
        """The floor's pool of two children, 16 in flight, batched writes, on the same queue."""
        count = max(20, int(count * self.scale))
        folder, _ = self.new_run()
        tally = SharedTally(os.path.join(folder, "floor-tally"))
        queue = self.queues.new("bench", **({"queue_type": "quorum"} if quorum else {}))
        self.filling.rabbitmq(queue, count)
        runner = Floor(os.path.join(folder, "log"), "pool", self.filling.broker, queue, tally.path, self.children,
                       in_flight=16, batch=True)
        try:
            early, late = (self.reached(runner, tally, wanted) for wanted in (max(1, count // 20), count))
        finally:
            runner.finish()
        self.queues.channel.queue_delete(queue)
        done, first, last = tally.read()
        return {"rate": (done - 1) / (last - first) * 1e9, "cpu_us": (late[2] - early[2]) / (late[0] - early[0]) * 1e6}

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
            family = tree(runner)
            return {"pss_mib": pss_mib(family), "processes": len(family)}
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
        runner = self.start(kind, folder, queue, tally, results="redis")
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
