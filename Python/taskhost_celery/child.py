"""Runs one task in a child, in the steps of Celery's tracer; the host keeps results, retries and what follows."""
import json
import sys
from time import monotonic

import _taskhost
from celery import signals
from celery._state import _task_stack
from celery.exceptions import Ignore, Reject, Retry
from kombu.utils.json import loads as loads_typed

from . import asynchronous, attempt, consumer, endings, errback, handlers, hosting
from . import instrumented, options, process, request, told
from .request import Request

# Without the look for typed values (dates, UUIDs …), which costs a call for each object in the message.
loads_plain = json.JSONDecoder().scan_once


def prepare(app):
    request.hostname = process.hostname()
    endings.prepare(app)


def flush():
    """What a task printed reaches the log before its ending; it may have closed either."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (ValueError, OSError, AttributeError):
            pass


def runner(task):
    """What python.so calls for each message of this task, with the message's body."""
    function = asynchronous.called(task if handlers.own(task, "__call__") else task.run, task)
    before_start = handlers.own(task, "before_start")
    stack = task.request_stack
    push, pop = stack.push, stack.pop
    push_task, pop_task = _task_stack.push, _task_stack.pop
    init, cleanup = (
        hosting.own_of(task.app.loader, name) for name in ("on_task_init", "on_process_cleanup"))
    deaf = _taskhost.deaf
    prerun, postrun, success_signal = signals.task_prerun, signals.task_postrun, signals.task_success
    received = signals.task_received
    succeeded, has_on_success = handlers.success(task), handlers.own(task, "on_success") is not None
    after_return = handlers.after_return(task)
    takes_failure = options.takes_failure(task)
    as_function = asynchronous.called(task, task) if takes_failure else None
    tracer = instrumented.wrapper(task)

    def run(body):
        args, kwargs, embed = loads_typed(body) if '"__type__"' in body else loads_plain(body, 0)[0]
        current = Request(args, kwargs, embed or {})
        if takes_failure and errback.is_call(current):
            end = errback.call(task, as_function, current)
            flush()
        elif tracer is None:
            end = steps(current, args, kwargs)
        else:
            end = instrumented.run(tracer, steps, current, args, kwargs)
        end[0](*end[1:])

    def steps(current, args, kwargs):
        """The ending, which is told when nobody has anything more to say."""
        value = state = None
        began = monotonic()
        push_task(task)
        push(current)
        attempt.begin(current, task)
        try:
            if received.receivers:
                received.send(sender=consumer.of(task.app), request=consumer.Request(task, current))
            if prerun.receivers:
                prerun.send(sender=task, task_id=current.id, task=task, args=args, kwargs=kwargs)
            if init:
                init(None, task)
            try:
                if before_start:
                    before_start(current.id, args, kwargs)
                try:
                    value = function(*args, **kwargs)
                finally:
                    deaf()
                end = endings.success(task, current, value)
                state = "SUCCESS"
            except Reject as error:
                value, state = error, "REJECTED"
                end = endings.rejected(error)
            except Ignore as error:
                value, state = error, "IGNORED"
                end = endings.ignored()
            except Retry as error:
                end = handlers.retry(task, current, error)
                value, state = error, "RETRY"
            except Exception as error:
                end = handlers.failure(task, current, error)
                value, state = error, "FAILURE"
            else:
                if has_on_success or success_signal.receivers:
                    succeeded(current, value, monotonic() - began)
            if after_return and state in ("SUCCESS", "FAILURE"):
                after_return(current, state, value)
        except Exception as error:
            end, broken = None, error
        except BaseException as error:
            end = told.end_of(error, hosting.child_ends) or endings.left(error)
        finally:
            if postrun.receivers:
                postrun.send(sender=task, task_id=current.id, task=task, args=args, kwargs=kwargs, retval=value,
                             state=state)
            pop_task()
            pop()
            if cleanup:
                cleanup()
            if end is None:
                end = handlers.internal_error(task, current, broken)
            endings.sent(current)
            flush()
        return end

    return run
