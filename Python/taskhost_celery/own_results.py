"""Results in backends that the host has no store for (django-db, files, one of the app's own): written by the tasks' own
processes, with the app's backend, before the host is told how a task ended.

What ends without Python, by its hard time limit, a crash or a revocation, has no result there.
"""
import logging
import os

from celery import signals, states

logger = logging.getLogger(__name__)
#: A process that ends so is one that died: its task is started again, as often as max_starts allows.
UNSTORED = 70


def install(app):
    """True: this app's results are Python's own affair."""
    if os.environ.get("TASKHOST_PYTHON_RESULTS") != "app":
        return False

    def store(task, request, state, value, trace=None):
        if request.ignore_result or task.ignore_result and request.ignore_result is None:
            return
        try:
            app.backend.store_result(request.id, value, state, traceback=trace, request=request)
        except Exception:
            # Not swallowed: who asks for the result would wait for ever.
            logger.exception("Task %s[%s]: its result cannot be stored", task.name, request.id)
            os._exit(UNSTORED)

    def started(sender, task, **_):
        if task.track_started:
            store(task, task.request, states.STARTED, {"pid": os.getpid(), "hostname": task.request.hostname})

    def succeeded(sender, result, **_):
        store(sender, sender.request, states.SUCCESS, result)

    def failed(sender, exception, einfo, **_):
        store(sender, sender.request, states.FAILURE, exception, einfo and einfo.traceback)

    def retried(sender, request, reason, einfo, **_):
        store(sender, request, states.RETRY, reason.exc or reason, einfo and einfo.traceback)

    signals.task_prerun.connect(started, weak=False)
    signals.task_success.connect(succeeded, weak=False)
    signals.task_failure.connect(failed, weak=False)
    signals.task_retry.connect(retried, weak=False)
    return True
