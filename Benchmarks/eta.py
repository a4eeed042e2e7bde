"""Future tasks: what 100,000 of them cost a host, an hour ahead, and how late tasks start that are due soon.

    Tests/Support/with-servers "$(Tests/Support/venv)" Benchmarks/eta.py [--future N] [--soon N] [--only rabbitmq]

Memory is that of the host's process; CPU that of the host alone, its children left out. Lateness is measured by the
task itself, at its first instruction: the way through host, zygote and a fresh child is part of it.
"""
import argparse
import datetime
import os
import sqlite3
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Tests", "Support")]
from lab import amqp, bundles, clients, command, processes, settings  # noqa: E402
from lab.wait import until  # noqa: E402
from lab.worker import Worker  # noqa: E402

HOUR = 3600
WINDOW = 10  # seconds over which CPU is counted
SPREAD = 10  # seconds over which the soon ones are due


def iso(moment):
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat()


class RabbitMQ:
    """Sent as a Celery client sends it when it knows nothing of native delayed delivery: the host puts them away."""
    lead = 10  # seconds from the first sending until the first soon one is due

    def __init__(self, folder):
        self.broker = settings.server("AMQP_URL")
        self.backend = None
        self.queues = amqp.Queues()
        self.queue = self.queues.new("eta")
        self.app = clients.app(self.broker, None)

    def send(self, path, dues):
        with self.app.amqp.Producer(self.app.connection_for_write()) as producer:
            for due in dues:
                self.send_one(producer, path, due)

    def send_one(self, producer, path, due):
        identity = str(uuid.uuid4())
        message = self.app.amqp.as_task_v2(identity, "due.note", (path, due), eta=iso(due), ignore_result=True)
        producer.publish(message.body, exchange="", routing_key=self.queue, serializer="json", delivery_mode=2,
                         headers=message.headers, **{**message.properties, "correlation_id": identity})

    def far(self, path, count):
        self.send(path, [time.time() + HOUR] * count)

    soon = send

    def taken(self):
        return self.queues.ready(self.queue) == 0

    def close(self):
        self.app.close()
        self.queues.close()


class SQLite:
    """Sent by `taskhost call`, a process each; the many are copies of one in the file, under new ids."""
    queue = "eta"
    lead = 30

    def __init__(self, folder):
        self.folder = folder
        self.file = os.path.join(folder, "taskhost.db")
        self.broker = self.backend = f"sqlite://{self.file}"

    def call(self, path, due):
        return command.run(self.folder, "call", "due.note", path, repr(due), "--eta", iso(due), "--queue", self.queue,
                           "-b", self.broker, "--json").expect(0)

    def far(self, path, count):
        self.call(path, time.time() + HOUR)
        with sqlite3.connect(self.file, timeout=30) as db:
            (row, headers), = db.execute("SELECT id, headers FROM message WHERE state = 1")
            mine = headers.split('"id":"', 1)[1].split('"', 1)[0]
            ids = [(f"{number:08x}{mine[8:]}", row) for number in range(1, count)]
            db.executemany(
                "INSERT INTO message (queue, state, priority, visible_at, properties, headers, body) "
                f"SELECT queue, state, priority, visible_at, replace(properties, '{mine}', ?1), "
                f"replace(headers, '{mine}', ?1), body FROM message WHERE id = ?2", ids)
        db.close()

    def soon(self, path, dues):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda due: self.call(path, due), dues))

    def taken(self):
        return True  # a delayed one stays where it is until it is due

    def close(self):
        pass


def memory(pid, field):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) / 1024


def idle_cpu(pid):
    """Milliseconds of CPU per second, over the window."""
    before = processes.cpu_seconds([pid])
    time.sleep(WINDOW)  # what is measured
    return (processes.cpu_seconds([pid]) - before) / WINDOW * 1e3


def measure(kind, folder, future, soon):
    where = kind(folder)
    plugin = bundles.build_c(os.path.join(HERE, "bundle", "due.c"), folder)
    host = Worker(os.path.join(folder, "host"), where.broker, where.backend, where.queue, [plugin], level="WARNING")
    path = os.path.join(folder, "lateness")
    try:
        yield f"{'before':24} RSS {memory(host.pid, 'VmRSS'):6.1f} MiB, CPU {idle_cpu(host.pid):5.2f} ms/s"
        cpu, began = processes.cpu_seconds([host.pid]), time.monotonic()
        where.far(path, future)
        until("the host to have put all away", where.taken, 1200, every=0.1)
        yield (f"{f'{future} taken':24} in {time.monotonic() - began:.1f} s with "
               f"{processes.cpu_seconds([host.pid]) - cpu:.2f} s of CPU, at most {memory(host.pid, 'VmHWM'):.1f} MiB")
        yield f"{'an hour ahead':24} RSS {memory(host.pid, 'VmRSS'):6.1f} MiB, CPU {idle_cpu(host.pid):5.2f} ms/s"
        first = time.time() + where.lead
        where.soon(path, [first + SPREAD * number / soon for number in range(soon)])
        spare = first - time.time()
        assert spare > 1, f"sent too slowly: {spare:.1f} s before the first was due"
        late = sorted(until("the soon ones", lambda: ran(path, soon), where.lead + SPREAD + 30, every=0.1))
        assert late[0] >= 0, f"started {-late[0]:.6f} s too early"
        yield (f"{f'{soon} due soon':24} late by p50 {late[len(late) // 2] * 1e3:.2f} ms, "
               f"p99 {late[len(late) * 99 // 100] * 1e3:.2f} ms, at most {late[-1] * 1e3:.2f} ms")
    finally:
        host.close()
        where.close()


def ran(path, count):
    if not os.path.exists(path):
        return None
    with open(path) as file:
        lines = file.read().splitlines()
    return [float(line) for line in lines] if len(lines) >= count else None


def main():
    given = argparse.ArgumentParser(prog="Benchmarks/eta.py", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--future", type=int, default=100_000, help="tasks an hour ahead (default 100000)")
    given.add_argument("--soon", type=int, default=500, help="tasks whose lateness is measured (default 500)")
    given.add_argument("--only", default="", help="rabbitmq or sqlite")
    given = given.parse_args()
    for name, kind in (("rabbitmq", RabbitMQ), ("sqlite", SQLite)):
        if given.only in ("", name):
            with tempfile.TemporaryDirectory(prefix="taskhost-eta-") as folder:
                print(f"{name}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs", flush=True)
                for line in measure(kind, folder, given.future, given.soon):
                    print("  " + line, flush=True)


if __name__ == "__main__":
    main()
