"""The app of the Python benchmark: a task that does nothing but count itself, in a file that all processes map."""
import mmap
import os

from celery import Celery

PLACES = 65536
app = Celery("noop")
app.conf.update(task_ignore_result=os.environ.get("NOOP_RESULTS") != "1", worker_hijack_root_logger=False)

with open(os.environ["NOOP_TALLY"], "r+b") as file:
    tally = memoryview(mmap.mmap(file.fileno(), PLACES * 8)).cast("Q")


@app.task(name="noop.add")
def add(x, y):
    # Each process has a place of its own; so many do not live at a time.
    tally[os.getpid() % PLACES] += 1
    return x + y
