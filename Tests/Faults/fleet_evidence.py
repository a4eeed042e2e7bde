"""What a mixed fleet that stands still has to say for itself: results, chords, queues, workers, logs.

`judge` is pure and tells whose loss a chord without its end is; `gather` asks everybody.
"""
import glob
import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from lab import settings

PREFIX = b"celery-taskset-meta-"
SHOWN = 12


@dataclass
class Chord:
    """A chord whose size is still in Redis: its body was not called, or is just being called."""
    group: str
    size: int
    parts: set = field(default_factory=set)  # ids of the tasks that were counted
    claim: str = ""

    def __str__(self):
        return f"{self.group}: {len(self.parts)} of {self.size} parts, claim {self.claim or 'none'}"


def judge(chords, metas, last_seen):
    """(whose, sentence) for each chord that nobody will end: "python" or "taskhost".

    Whoever had a member in hand last has to count it and, if that completes the chord, to see to its body: what a dead
    worker left undone comes back to somebody. `last_seen`: task id -> (time, "python" or "taskhost"), from the logs.
    """
    found = []
    for chord in chords:
        members = [meta for meta in metas if meta.get("group_id") == chord.group and meta["status"] == "SUCCESS"]
        for meta in members:
            if meta["task_id"] not in chord.parts:
                ran = "python" if meta.get("worker") == "python@fleet" else "taskhost"
                side = last_seen.get(meta["task_id"], (0, ran))[1]
                found.append((side, f"{meta['task_id']} succeeded on {meta.get('worker')}, but chord {chord.group} "
                                    f"never got its part: {side}'s loss"))
        if len(chord.parts) == chord.size and not chord.claim:
            side = max((last_seen[one] for one in chord.parts if one in last_seen), default=(0, "taskhost"))[1]
            found.append((side, f"chord {chord.group} has all parts, but nobody called its body: {side}'s loss"))
    return found


def mentions(python_log, native_logs):
    """Task id -> (time, side) of the last line that names it."""
    seen = {}

    def note(task, moment, side):
        seen[task] = max(seen.get(task, (0, "")), (moment, side))

    for line in native_logs.splitlines():
        if '"task_id":"' in line:
            try:
                one = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            note(one["task_id"], datetime.fromisoformat(one["time"]).timestamp(), "taskhost")
    for stamp, task in re.findall(r"^\[([\d-]+ [\d:,]+): .* Task fleet\.\w+\[([\w-]+)\]", python_log, re.MULTILINE):
        note(task, datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f").timestamp(), "python")
    return seen


def chords(results):
    found = []
    for key in results.scan_iter(PREFIX + b"*.s", count=1000):
        name, size = key[:-2], results.get(key)
        if size is None:
            continue  # it was completed meanwhile
        parts = results.zrange(name + b".j", 0, -1)
        claims = [f"{key.decode()[-9:]}: {results.get(key)}, {results.ttl(key)} s more"
                  for key in (name + b".c", name + b".taskhost") if results.exists(key)]
        found.append(Chord(name[len(PREFIX):].decode(), int(size) + int(results.get(name + b".t") or 0),
                           {json.loads(part)[1] for part in parts}, ", ".join(claims)))
    return found


def losses(results, metas, native, python):
    native_logs = "\n".join(read(path) for path in glob.glob(f"{native.folder}/log-*"))
    return judge(chords(results), metas, mentions(read(python.log), native_logs))


def gather(results, metas, app, queue, native, python):
    """All of it as text."""
    lines = [f"results: {dict(Counter((meta['status'], meta.get('worker')) for meta in metas))}",
             "chords that wait:", *indented(chords(results)),
             "of these nobody will end:",
             *indented(sentence for _, sentence in losses(results, metas, native, python)),
             "queues (ready, unacknowledged, consumers):", *indented(depths(queue)),
             f"processes: native {'runs' if native.running else 'has ended'}, "
             f"python {'runs' if python.process.poll() is None else 'has ended'}"]
    inspect = app.control.inspect(timeout=3)
    for question in ("active", "reserved", "scheduled"):
        answers = getattr(inspect, question)() or {}
        for worker in ("native@fleet", "python@fleet"):
            tasks = answers.get(worker)
            lines.append(f"{question} on {worker}: " + ("no answer" if tasks is None else
                         ", ".join(str((one.get("request") or one)["id"]) for one in tasks) or "nothing"))
    lines += ["the native host's last lines:", native.tail(25), "the Python worker's:", tail(python.log, 25)]
    return "\n".join(lines)


def indented(items):
    items = [str(item) for item in items]
    more = [f"and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return [f"    {item}" for item in items[:SHOWN] + more] or ["    none"]


def depths(queue):
    done = subprocess.run(
        [settings.server("RABBITMQCTL"), "list_queues", "-q", "name", "messages_ready", "messages_unacknowledged",
         "consumers"], capture_output=True, text=True, timeout=60)
    return [line for line in (done.stdout + done.stderr).splitlines() if queue in line or "rror" in line]


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


def tail(path, count):
    return "".join(read(path).splitlines(keepends=True)[-count:])
