"""One chord with two Python members and one native one: chord.py REDIS_URL SUFFIX.

Reads a word per line and answers with one: `send` -> the body's id; `work` -> starts a stock worker and says `two` when
both of its members have been counted; `start` -> only starts it; `result` -> what the body returned.
"""
import os
import subprocess
import sys
import time

from celery import Celery, chord

# The worker is this same file, imported: arguments are its own.
if __name__ == "__main__":
    os.environ["INTEROP_URL"], os.environ["INTEROP_SUFFIX"] = sys.argv[1:]
url, suffix = os.environ["INTEROP_URL"], os.environ["INTEROP_SUFFIX"]
python, native = f"python-{suffix}", f"native-{suffix}"
app = Celery("interop", broker=url, backend=url, set_as_current=True)
app.conf.task_default_queue = python


@app.task(name="interop.double")
def double(number):
    return 2 * number


@app.task(name="interop.total")
def total(numbers):
    return sum(numbers)


def two_counted(group):
    parts = f"celery-taskset-meta-{group}.j"
    while app.backend.client.zcard(parts) < 2:
        time.sleep(0.02)


def start_worker():
    words = [sys.executable, "-B", "-m", "celery", "-A", "chord", "worker", "-P", "solo", "-l", "ERROR",
             "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return subprocess.Popen(words, cwd=os.path.dirname(os.path.abspath(__file__)), stdin=subprocess.DEVNULL,
                            stdout=sys.stderr)


def converse(workers):
    result = None
    for line in sys.stdin:
        word = line.strip()
        if word == "send":
            header = [double.s(1).set(queue=python), double.s(2).set(queue=python), double.s(3).set(queue=native)]
            result = chord(header)(total.s().set(queue=python))
            answer = result.id
        elif word in ("work", "start"):
            workers.append(start_worker())
            if word == "work":
                two_counted(result.parent.id)
            answer = "two" if word == "work" else "started"
        elif word == "result":
            answer = result.get(timeout=20)
        print(answer, flush=True)


def main():
    workers = []
    try:
        converse(workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


if __name__ == "__main__":
    main()
