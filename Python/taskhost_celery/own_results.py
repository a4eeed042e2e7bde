"""Results in backends that the host has no store for (django-db, files, one of the app's own): written by the tasks' own
processes, with the app's backend, before the host is told how a task ended.

What ends without Python, by its hard time limit, a crash or a revocation, is written by the process of listener.py.
"""
import logging
import os

from celery import signals, states

from . import process

logger = logging.getLogger(__name__)
#: A process that ends so is one that died: its task is started again, as often as max_starts allows.
UNSTORED = 70


def install(app):
    """True: this app's results are Python's own affair."""
    if os.environ.get("TASKHOST_PYTHON_RESULTS") != "app":
        return False

    def ignores(task, request):
        return bool(request.ignore_result or task.ignore_result and request.ignore_result is None)

    def write(task, request, function, *args, **kwargs):
        try:
            function(request.id, *args, request=request, **kwargs)
        except Exception:
            # Not swallowed: who asks for the result would wait for ever.
            logger.exception("Task %s[%s]: its result cannot be stored", task.name, request.id)
            if not process.hears_host:
                os._exit(UNSTORED)

    def started(sender, task, **_):
        if task.track_started and not ignores(task, task.request):
            meta = {"pid": os.getpid(), "hostname": task.request.hostname}
            write(task, task.request, app.backend.store_result, meta, states.STARTED)

    # These also count the parts of chords, where the backend does so, and fail the rest of a chain.
    def succeeded(sender, result, **_):
        request = sender.request
        write(sender, request, app.backend.mark_as_done, result, store_result=not ignores(sender, request))

    def failed(sender, exception, einfo, **_):
        request = sender.request
        stores = not ignores(sender, request) or sender.store_errors_even_if_ignored
        write(sender, request, app.backend.mark_as_failure, exception, traceback=einfo and einfo.traceback,
              store_result=stores, call_errbacks=False)

    def retried(sender, request, reason, einfo, **_):
        if not ignores(sender, request):
            write(sender, request, app.backend.store_result, reason.exc or reason, states.RETRY,
                  traceback=einfo and einfo.traceback)

    def revoked(sender, request, terminated, expired, **_):
        reason = "terminated" if terminated else "expired" if expired else "revoked"
        write(sender, request, app.backend.mark_as_revoked, reason, store_result=not ignores(sender, request))

    signals.task_revoked.connect(revoked, weak=False)
    signals.task_prerun.connect(started, weak=False)
    signals.task_success.connect(succeeded, weak=False)
    signals.task_failure.connect(failed, weak=False)
    signals.task_retry.connect(retried, weak=False)
    return True
