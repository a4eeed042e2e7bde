"""A task class's own handlers and the signals that go with an ending, in Celery's order with Celery's arguments."""
from celery import signals
from celery.app.task import Task
from celery.exceptions import Reject
from celery.utils.log import get_logger
from celery.utils.objects import mro_lookup

from . import endings

logger = get_logger("celery.app.trace")


# Celery's worker puts a __call__ of its own into Task; going by it would only cost a frame.
CELERYS = ["celery.app.task", "celery.app.trace"]


def own(task, name):
    """The method, if the task's class overrides that of Celery's Task; else None."""
    found = mro_lookup(type(task), name, stop={Task, object}, monkey_patched=CELERYS)
    return getattr(task, name) if found else None


def success(task):
    """A function of (request, value, runtime), or None where nobody listens. What it raises does not undo the success."""
    handler, signal = own(task, "on_success"), signals.task_success

    def succeeded(request, value, runtime):
        if handler:
            try:
                handler(value, request.id, request.args, request.kwargs)
            except (Reject, MemoryError):
                raise
            except Exception as error:
                logger.exception("Task %s[%s] on_success handler raised: %r", task.name, request.id, error)
        if signal.receivers:
            signal.send(sender=task, result=value, runtime=runtime)

    return succeeded


def after_return(task):
    handler = own(task, "after_return")

    def returned(request, state, value):
        try:
            handler(state, value, request.id, request.args, request.kwargs, None)
        except (Reject, MemoryError):
            raise
        except Exception as error:
            logger.exception("Task %s[%s] after_return handler raised: %r", task.name, request.id, error)

    return returned if handler else None


def failure(task, request, error):
    """The ending, after on_failure and task_failure."""
    exception, info, end = endings.failure(error)
    task.on_failure(exception, request.id, request.args, request.kwargs, info)
    if signals.task_failure.receivers:
        signals.task_failure.send(sender=task, task_id=request.id, exception=exception, args=request.args,
                                  kwargs=request.kwargs, traceback=exception.__traceback__, einfo=info)
    return end


def retry(task, request, error):
    info, end = endings.retry(error)
    task.on_retry(error.exc, request.id, request.args, request.kwargs, info)
    if signals.task_retry.receivers:
        signals.task_retry.send(sender=task, request=request, reason=error, einfo=info)
    return end


def internal_error(task, request, error):
    """What a handler or a signal's receiver raised: the task fails of it, and its handlers are called once more."""
    exception, info, end = endings.failure(error)
    signals.task_internal_error.send(sender=task, task_id=request.id, args=request.args, kwargs=request.kwargs,
                                     request=request.as_dict(), exception=error, traceback=error.__traceback__,
                                     einfo=info)
    try:
        return failure(task, request, error)
    except Exception as another:
        return endings.failure(another)[2]
