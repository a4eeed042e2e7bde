"""An app of the journeys that writes down what it is told: signals and handlers, in their order, with their arguments.

Run by Celery's own prefork worker and by taskhost, the lists are compared.
"""
import json
import logging
import os
import re

import celery
from billiard import current_process
from celery import current_app, current_task, signals
from celery.app.task import Context
from celery.exceptions import Ignore, Reject
from celery.utils.log import get_task_logger

app = celery.Celery("recorder", broker=os.environ.get("APP_BROKER"), backend=os.environ.get("APP_BACKEND"))
app.conf.task_default_queue = os.environ.get("APP_QUEUE", "celery")
logger = get_task_logger(__name__)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def note(what, **values):
    if os.environ.get("APP_PREFORK") and current_process().name == "MainProcess":
        return  # what Celery's worker sends where it takes messages: a rejected task's failure
    line = json.dumps([what, {name: told(value) for name, value in sorted(values.items())}])
    with open(os.environ["APP_NOTES"], "a") as file:
        file.write(line + "\n")


def told(value):
    """Types and values that are the same in both workers."""
    if isinstance(value, Context):
        return "Context"
    if isinstance(value, dict) and "origin" in value:
        return sorted(set(value) - {"properties", "headers", "time_limit", "soft_time_limit"})
    if isinstance(value, BaseException):
        return UUID.sub("ID", repr(value))
    if isinstance(value, (str, int, list, tuple, dict, type(None))):
        return list(value) if isinstance(value, tuple) else value
    return type(value).__name__


def listen(name):
    def receiver(sender=None, signal=None, **values):
        if "task_id" in values:
            values["task_id"] = bool(values["task_id"])
        for one in ("runtime", "pid", "exitcode"):
            if one in values:
                values[one] = type(values[one]).__name__
        if name in ("before_task_publish", "after_task_publish"):
            values = {"routing_key": values["routing_key"] == app.conf.task_default_queue,
                      "exchange": values["exchange"], "task": values["headers"]["task"],
                      "retries": values["headers"]["retries"]}
        note(name, sender=getattr(sender, "name", sender) if name.startswith("task") else None, **values)

    getattr(signals, name).connect(receiver, weak=False)


for one in ("task_prerun", "task_postrun", "task_success", "task_failure", "task_retry", "task_internal_error",
            "before_task_publish", "after_task_publish", "worker_process_init", "worker_process_shutdown"):
    listen(one)


class Noted(app.Task):
    label = "a class of the app's own"
    max_retries = 1

    def before_start(self, task_id, args, kwargs):
        note("before_start", same=task_id == self.request.id, args=args, kwargs=kwargs)

    def on_success(self, retval, task_id, args, kwargs):
        note("on_success", retval=retval, same=task_id == self.request.id, args=args, kwargs=kwargs)

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        note("on_failure", exc=exc, same=task_id == self.request.id, args=args, kwargs=kwargs, einfo=einfo,
             last=UUID.sub("ID", str(einfo).strip().splitlines()[-1]))

    def on_retry(self, exc, task_id, args, kwargs, einfo):
        note("on_retry", exc=exc, same=task_id == self.request.id, args=args, kwargs=kwargs, einfo=einfo)

    def after_return(self, status, retval, task_id, args, kwargs, einfo):
        note("after_return", status=status, retval=retval, same=task_id == self.request.id, args=args, kwargs=kwargs,
             einfo=einfo)


@app.task(bind=True, base=Noted)
def ends(self, how, mark=None):
    note("run", how=how, mark=mark, retries=self.request.retries, label=self.label, task=current_task.name,
         app=current_app.main)
    if how == "raise":
        raise ValueError("told to", 7)
    if how == "retry":
        raise self.retry(exc=KeyError("again"), countdown=0)
    if how == "bare retry":
        raise self.retry(countdown=0)
    if how == "ignore":
        raise Ignore()
    if how == "reject":
        raise Reject("not this one", requeue=False)
    if how == "no json":
        return object()
    if how == "send":
        return bool(plain.delay(1).id)
    return [how, mark]


@app.task(base=Noted)
def plain(x):
    return x


class Raising(Noted):
    def before_start(self, task_id, args, kwargs):
        raise RuntimeError("before the start")

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        note("on_failure", exc=exc)
        raise RuntimeError("in a handler")


@app.task(base=Raising)
def machinery():
    """Its handlers fail: an internal error."""


class Called(app.Task):
    def __call__(self, *args, **kwargs):
        note("called", args=args)
        return self.run(*args, **kwargs)


@app.task(base=Called)
def called(x):
    return x


@app.task
def writes():
    print("printed")
    logger.debug("of the task logger, fine")
    logger.warning("of the task logger", extra={"user": 7})
    logging.getLogger("elsewhere").error("of another logger: %s", "x")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("with a traceback")
