"""A durable file of SQLite: one host, four hosts on it, and SQLite alone (floor/sqlite_floor.c)."""
import os
import sqlite3
import statistics
import subprocess

from lab import command
from workers import BUILD, Floor, Host, own_cpu_us, wait_until

QUEUE = "bench"
# Messages of one transaction: as many as give SQLite alone the syncs of a host, which had 933 for 60,000 tasks, those of
# checkpoints among them.
BATCH = 70
PROBED = 60  # seconds at most


def fill(folder, count):
    """One message sent by `taskhost call`, and copies of it under other ids; the address of the file."""
    path = os.path.join(folder, "taskhost.db")
    command.run(folder, "call", "bench.add", "1", "2", "--queue", QUEUE, "-b", f"sqlite://{path}", "--json").expect(0)
    with sqlite3.connect(path, timeout=30) as db:
        (row, headers), = db.execute("SELECT id, headers FROM message")
        mine = headers.split('"id":"', 1)[1].split('"', 1)[0]
        ids = [(f"{number:08x}{mine[8:]}", row) for number in range(1, count)]
        db.executemany(
            "INSERT INTO message (queue, state, priority, visible_at, properties, headers, body) "
            f"SELECT queue, state, priority, visible_at, replace(properties, '{mine}', ?1), "
            f"replace(headers, '{mine}', ?1), body FROM message WHERE id = ?2", ids)
        # What is probed: nobody serves it.
        db.execute("INSERT INTO message (queue, state, priority, visible_at, properties, headers, body) "
                   "SELECT 'probe', state, priority, visible_at, properties, headers, body FROM message WHERE id = ?", (row,))
    db.close()
    return path


def measure(ground, hosts, count):
    """Tasks a second, results ignored. `hosts`: 0 is SQLite alone."""
    count = ground.scaled(count, 20_000 if hosts > 1 else 2000)
    folder, tally = ground.new_run()
    path = fill(folder, count)
    if hosts == 0:
        words = [os.path.join(BUILD, "sqlite-floor"), path, QUEUE, tally.path, str(BATCH)]
        floor = Floor(os.path.join(folder, "log"), words=words)
        floor.process.wait(120)
        assert tally.done() == count, floor.tail()
        return {"rate": rate(tally)}
    runners = [start(folder, number, path, tally) for number in range(hosts)]
    probe = None
    try:
        wait_until(runners[0], "the first tasks", lambda: tally.done() >= count // 20)
        if hosts > 1:
            probe = subprocess.Popen([os.path.join(BUILD, "sqlite-claims"), path, "probe", str(PROBED)],
                                     stdout=subprocess.PIPE, text=True)
        wait_until(runners[0], "every task", lambda: tally.done() >= count)
        cpu = sum(own_cpu_us(one.pid) for one in runners) / count
    finally:
        if probe:
            probe.terminate()
        for one in runners:
            one.finish()
    return {"rate": rate(tally), "host_cpu_us": cpu, **(claims(probe) if probe else {})}


def start(folder, number, path, tally):
    own = os.path.join(folder, f"host-{number}")
    os.mkdir(own)
    return Host(os.path.join(own, "host"), f"sqlite://{path}", None, QUEUE, tally.path, wait=False,
                options=["--result-backend", "none"])


def rate(tally):
    done, first, last = tally.read()
    return (done - 1) / (last - first) * 1e9


def claims(probe):
    """How long claims took while the hosts worked."""
    text, _ = probe.communicate()
    times = [int(line) / 1000 for line in text.split()]
    assert len(times) > 1, "sqlite-claims could not claim"
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"claim_p50_ms": cuts[49], "claim_p99_ms": cuts[98], "claims": len(times)}
