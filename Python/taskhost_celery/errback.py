"""Errbacks that take (request, exception, traceback): the host calls them where the task failed, without a message.

Celery's worker calls them as functions, within the task that failed: there are no signals, no handlers of the class and no
result, and what they send has that task as its parent.
"""

import _taskhost
from celery._state import _task_stack
from celery.app.task import Context
from celery.exceptions import Ignore

from . import attempt, endings, hosting, told
from .request import HEADERS


def is_call(request):
    """Whether the host calls it so; else it is a task that came as a message."""
    args = request.args
    return (len(args) >= 3 and isinstance(args[1], dict) and "exc_type" in args[1]
            and _taskhost.text(HEADERS) in (None, "", "{}"))


def call(task, function, request):
    """The ending."""
    app, (failed, error, *more) = task.app, request.args
    # What it sends may ask for the priority that it came with.
    context = Context({"delivery_info": {}, **failed}, called_directly=False)
    error = app.backend.exception_to_python(error)
    owner = app.tasks.get(context.task, task)
    _task_stack.push(owner)
    owner.request_stack.push(context)
    attempt.begin(request, task)
    try:
        function(context, error, *more, **request.kwargs)
        return endings.NOTHING
    except Ignore:
        return endings.NOTHING
    except Exception as problem:
        return endings.failure(problem)[2]
    except BaseException as problem:
        return told.end_of(problem, hosting.child_ends) or endings.left(problem)
    finally:
        owner.request_stack.pop()
        _task_stack.pop()
        endings.sent(request)
