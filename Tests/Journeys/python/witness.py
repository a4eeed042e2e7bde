"""An app of the journeys that writes down the signals of Celery's main process."""
import json
import os
import time

import celery
from celery import signals

app = celery.Celery("witness", broker=os.environ.get("APP_BROKER"), backend=os.environ.get("APP_BACKEND"))
app.conf.update(task_default_queue=os.environ.get("APP_QUEUE", "celery"), worker_concurrency=1,
                worker_prefetch_multiplier=1, task_acks_late=True, task_reject_on_worker_lost=False)
NAMES = ("celeryd_init", "worker_init", "celeryd_after_setup", "worker_ready", "task_received", "task_prerun",
         "task_revoked", "task_rejected", "task_unknown", "task_failure", "worker_shutting_down", "worker_shutdown",
         "heartbeat_sent")
seen = []


def plain(value):
    if isinstance(value, BaseException):
        return [type(value).__name__, [str(one) for one in value.args]]
    if isinstance(value, (str, int, bool, list, tuple, dict, type(None))):
        return value
    return None


def listen(name):
    def receiver(sender=None, signal=None, **values):
        seen.append(name)
        told = {key: plain(value) for key, value in values.items()}
        request = values.get("request")
        if request is not None:
            told["request"] = [request.id, list(request.args or ()), dict(request.kwargs or {}), request.root_id]
        if "message" in values:
            told["message"] = values["message"].headers.get("task")
        told["sender"] = getattr(sender, "name", None) or getattr(sender, "hostname", sender)
        if name == "worker_shutdown":
            told["state"] = "worker_init" in seen and "worker_ready" in seen
        with open(os.environ["APP_NOTES"], "a") as file:
            file.write(json.dumps([name, told], default=lambda value: type(value).__name__) + "\n")

    getattr(signals, name).connect(receiver, weak=False)


for one in NAMES:
    listen(one)


@signals.worker_ready.connect
def broken(**_):
    raise ValueError("a receiver that fails")


@signals.worker_shutdown.connect
def close_everything(**_):
    """A receiver that lets go of all descriptors, and has work left."""
    left = os.environ.get("APP_LEFT")
    if left:
        os.closerange(3, 256)
        time.sleep(0.5)
        open(left, "w").close()


@signals.beat_init.connect
def never(**_):
    """Beat imports no app here."""


@app.task
def add(x, y):
    return x + y


@app.task(time_limit=1)
def sleep(seconds):
    time.sleep(seconds)


@app.task
def die():
    os.kill(os.getpid(), 9)


@app.task(bind=True)
def leave(self):
    raise SystemExit(3)
