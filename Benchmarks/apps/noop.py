"""The app of the Python benchmark: tasks that do nothing but count themselves."""
import os

import tally
from celery import Celery

app = Celery("noop")
app.conf.update(task_ignore_result=os.environ.get("NOOP_RESULTS") != "1", worker_hijack_root_logger=False,
                task_create_missing_queue_type=os.environ.get("NOOP_QUEUE_TYPE") or "classic")


@app.task(name="noop.add")
def add(x, y):
    tally.hit()
    return x + y


@app.task(name="noop.blob")
def blob(data):
    tally.hit()
    return len(data)


def named(name):
    @app.task(name=name)
    def task(x, y):
        tally.hit()


# How much it costs to know many tasks.
for number in range(int(os.environ.get("NOOP_NAMES") or 0)):
    named(f"noop.named{number}")
