"""An app of the journeys whose tasks are ended from outside, or called within the task that failed. It writes down what it sees."""
import json
import os
import time

import celery
from celery import current_task, signals

app = celery.Celery("outside", broker=os.environ.get("APP_BROKER"), backend=os.environ.get("APP_BACKEND"))
app.conf.update(task_default_queue=os.environ.get("APP_QUEUE", "celery"), task_acks_late=False,
                worker_prefetch_multiplier=1, task_inherit_parent_priority=True)


def note(*what):
    with open(os.environ["APP_NOTES"], "a") as file:
        file.write(json.dumps(what) + "\n")


@signals.task_prerun.connect
def before(sender, **_):
    note("task_prerun", sender.name)


@signals.task_postrun.connect
def after(sender, state, retval, **_):
    note("task_postrun", sender.name, state, repr(retval))


def wait(who):
    note("waits", who)
    try:
        time.sleep(60)
    except BaseException as error:
        note("hears", who, repr(error))
        raise
    finally:
        note("lets go", who)


@app.task
def told():
    wait("told")


@app.task
def asked():
    wait("asked")


@app.task(time_limit=1)
def limited():
    wait("limited")


@app.task
def fail():
    raise ValueError("told to")


@app.task
def call(request, error, traceback):
    """An errback that Celery calls where the task failed."""
    note("called", request.task, repr(error), current_task.name, current_task.request.called_directly)
    follow.delay(request.id)


@app.task(bind=True)
def follow(self, failed):
    note("follows", self.request.parent_id == failed == self.request.root_id)


@app.task(bind=True)
def step(self, *_):
    note("step", self.request.ignore_result)


@app.task(bind=True, ignore_result=True)
def silent(self, *_):
    note("silent", self.request.ignore_result)
