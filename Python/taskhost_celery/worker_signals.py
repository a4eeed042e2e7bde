"""The signals of a worker that reach an app here: in the zygote those of a worker's start, in each child its own two.

The rest belongs to a process that runs while tasks do and imports the app; taskhost has none: its host imports nothing.
Apps that wait for them are told at the start; hooks of the host (`[hooks]`) are in their place.
"""

import os
import sys

from celery import signals

from .process import hostname

NEVER = {
    "worker_ready": "[hooks] of the host", "worker_shutdown": "[hooks] of the host",
    "worker_shutting_down": "[hooks] of the host", "task_received": "events (task-received)",
    "task_revoked": "events (task-revoked)", "task_rejected": "the dead letters", "task_unknown": "the dead letters",
    "heartbeat_sent": "events (worker-heartbeat)", "worker_before_create_process": "worker_process_init",
}


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


def start(app, set_up_logging):
    """In the zygote, once the app's modules are imported: in the order of Celery's worker."""
    worker = Worker(app)
    signals.celeryd_init.send(sender=worker.hostname, instance=worker, conf=app.conf, options={})
    set_up_logging(app)
    signals.worker_init.send(sender=worker)
    signals.celeryd_after_setup.send(sender=worker.hostname, instance=worker, conf=app.conf)
    for name, instead in NEVER.items():
        for function in receivers(getattr(signals, name)):
            print(f"{function.__module__}.{function.__qualname__} waits for the signal {name}, which taskhost does not "
                  f"send to apps: see {instead}", file=sys.stderr)


def receivers(signal):
    """Those that are not Celery's own."""
    for _, found in signal.receivers:
        function = found() if hasattr(found, "__callback__") else found
        if function is not None and not getattr(function, "__module__", "celery.").startswith("celery."):
            yield function


def child_started(begin):
    """In each child, before its first task. `begin`: what the app's loader does then, or None."""
    if begin:
        begin()
    if signals.worker_process_init.receivers:  # each call costs a fresh child pages that it has to copy
        signals.worker_process_init.send(sender=hostname())


def child_ends():
    """In a child that ends by itself, after its last task."""
    signals.worker_process_shutdown.send(sender=hostname(), pid=os.getpid(), exitcode=0)
