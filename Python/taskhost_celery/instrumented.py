"""Libraries that instrument tasks where Celery builds their tracers (Sentry, New Relic): what they wrap is our run.

They replace `celery.app.trace.build_tracer` by a function that calls the one it finds there, and wrap what it gives.
"""
import logging

from celery.app import trace

from . import endings

logger = logging.getLogger(__name__)
original = trace.build_tracer
# One task runs at a time in a child: what the innermost tracer is to do.
_steps = None


def prepare():
    """Before the app is imported, so that it is ours that is wrapped."""
    trace.build_tracer = build_tracer


def build_tracer(name, task, *args, eager=False, **kwargs):
    return original(name, task, *args, eager=eager, **kwargs) if eager else innermost


def innermost(uuid, args, kwargs, request=None):
    return _steps(args, kwargs)


def wrapper(task):
    """What is to be called in place of our own run; None: nobody has wrapped it."""
    tracer = getattr(task, "__trace__", None)
    return None if tracer in (None, innermost) else tracer


def run(tracer, steps, current, args, kwargs):
    """The ending that `steps` gives, run within the tracer. One that fails does not undo what the task has done."""
    global _steps
    ends = []

    def inner(args, kwargs):
        ends.append(steps(current, args, kwargs))
        return trace.trace_ok_t(None, None, 0.0, "")

    _steps = inner
    try:
        tracer(current.id, args, kwargs, current.as_dict())
    except Exception as error:
        if not ends:
            return endings.failure(error)[2]
        logger.exception("Task %s[%s]: what instruments it has failed", current.task, current.id)
    finally:
        _steps = None
    return ends[0]
