"""The app of the Python benchmark: a task that does nothing but count itself."""
import os

import tally
from celery import Celery

app = Celery("noop")
app.conf.update(task_ignore_result=os.environ.get("NOOP_RESULTS") != "1", worker_hijack_root_logger=False)


@app.task(name="noop.add")
def add(x, y):
    tally.hit()
    return x + y
