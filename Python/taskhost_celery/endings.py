"""How a task ends, as the host is told: a function of `_taskhost` and its arguments."""
import json
import time
import traceback

import _taskhost
from billiard.einfo import ExceptionInfo
from celery.backends.base import Backend
from celery.utils.serialization import get_pickleable_etype, get_pickleable_exception
from kombu.serialization import dumps
from kombu.utils.json import JSONEncoder

from . import attempt, publish

encode = JSONEncoder().encode
backend = None  # knows how Celery writes exceptions as JSON


def prepare(app):
    global backend
    backend = Backend(app=app, serializer="json")


def success(task, request, value):
    """Raises kombu's EncodeError for what is no JSON."""
    if value is None:
        return (_taskhost.succeed, "null")
    try:
        return (_taskhost.succeed, encode(value))
    except Exception:
        return (_taskhost.succeed, dumps(value, serializer="json")[2])


def failure(error):
    """The exception as handlers get it, billiard's ExceptionInfo, and the ending."""
    exception = get_pickleable_exception(error)
    if exception.__traceback__ is None:
        exception.__traceback__ = error.__traceback__
    exception.__traceback__ = in_task(exception.__traceback__)
    info = information(error, exception)
    return exception, info, (_taskhost.fail, *described(exception), info.traceback.replace("\0", "\\x00"))


def information(error, exception):
    kind = get_pickleable_etype(type(error))
    return ExceptionInfo(exc_info=(kind, exception, exception.__traceback__))


def described(exception):
    """Type, module, message and arguments, as Celery's result backends write them."""
    meta = backend.prepare_exception(exception, serializer="json")
    return meta["exc_type"], meta["exc_module"], printable(str(exception)), encode(meta["exc_message"])


def printable(text):
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def in_task(tb):
    """A traceback from the first frame that is not ours."""
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(OURS):
        tb = tb.tb_next
    return tb


OURS = __file__.rpartition("/")[0] + "/"


def retry(error):
    error.__traceback__ = in_task(error.__traceback__)
    info = ExceptionInfo((type(error), error, error.__traceback__))
    told = {"countdown": seconds(error.when)}
    message = attempt.take_next()
    if message is not None:
        # Celery has looked at the bound already.
        told.update(next=message, max_retries=-1)
    if error.exc is not None:
        told["type"], told["module"], told["message"], told["arguments"] = described(error.exc)
        told["traceback"] = printable(info.traceback)
    return info, (_taskhost.retry, told)


def seconds(when):
    """From now; None: by the task's policy."""
    if hasattr(when, "tzinfo"):
        return max(0.0, when.timestamp() - time.time())
    return when


def ignored():
    """A task that let another take its place has sent it, with all that was to follow."""
    return (_taskhost.replace, "null") if attempt.was_replaced() else (_taskhost.ignore,)


def sent(request):
    """Before the ending, after which nothing is taken: what is left of what the task has sent."""
    left = attempt.end()
    if left is not None:
        # The task went on after `retry`, and its next attempt goes out all the same, as in Celery.
        publish.send(left)
    children = request.__dict__.get("_children")
    if children:
        _taskhost.add_children(json.dumps([child.as_tuple() for child in children]))


def rejected(error):
    return (_taskhost.reject, printable(str(error.reason)), bool(error.requeue))


def left(error):
    """SystemExit, KeyboardInterrupt and others that end a process of Celery's."""
    return (_taskhost.fail, type(error).__name__, type(error).__module__, printable(str(error)),
            json.dumps([printable(str(one)) for one in error.args]), "".join(
                traceback.format_exception(type(error), error, in_task(error.__traceback__))))
