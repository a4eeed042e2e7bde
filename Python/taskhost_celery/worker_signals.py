"""The signals of a worker that reach an app: in the zygote those of a worker's start, in each child its own two, and the
host's in a process beside (listener.py). What nobody sends is named where the app waits for it.
"""

import os

from celery import signals

from .process import hostname


class Worker:
    """What receivers of a worker's signals look at (Django's fixup among them)."""

    pool_cls = "celery.concurrency.prefork:TaskPool"

    def __init__(self, app):
        self.app = app
        self.hostname = hostname()
        self.pid = os.getpid()
        self.concurrency = None

    def __repr__(self):
        return f"<Worker: {self.hostname} (taskhost)>"


#: The one that receivers have seen at the start.
worker = None


def start(app, set_up_logging):
    """In the zygote, once the app's modules are imported: in the order of Celery's worker."""
    global worker
    worker = Worker(app)
    signals.celeryd_init.send(sender=worker.hostname, instance=worker, conf=app.conf, options={})
    set_up_logging(app)
    signals.worker_init.send(sender=worker)
    signals.celeryd_after_setup.send(sender=worker.hostname, instance=worker, conf=app.conf)


def child_started(begin):
    """In each child, before its first task. `begin`: what the app's loader does then, or None."""
    if begin:
        begin()
    if signals.worker_process_init.receivers:  # each call costs a fresh child pages that it has to copy
        signals.worker_process_init.send(sender=hostname())


def child_ends():
    """In a child that ends by itself, after its last task."""
    signals.worker_process_shutdown.send(sender=hostname(), pid=os.getpid(), exitcode=0)
