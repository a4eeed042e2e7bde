"""How a task ends, as the host is told: a function of `_taskhost` and its arguments."""
import json
import pickle
import time
from json.encoder import c_make_encoder, encode_basestring_ascii
from traceback import format_exception

import _taskhost
from billiard.common import human_status
from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from billiard.pool import MaybeEncodingError
from celery.backends.base import Backend
from celery.result import ResultBase
from celery.utils.serialization import get_pickleable_etype, get_pickleable_exception
from kombu.serialization import dumps
from kombu.utils.encoding import safe_str
from kombu.utils.json import JSONEncoder

from . import attempt, publish
from .request import own

encode = JSONEncoder().encode
backend = None  # knows how Celery writes exceptions as JSON


def prepare(app):
    global backend
    backend = Backend(app=app, serializer="json")


def success(task, request, value):
    """Raises kombu's EncodeError for what is no JSON."""
    if value is None:
        return NOTHING
    if isinstance(value, ResultBase):
        value = value.as_tuple()
    try:
        return _taskhost.succeed, json_of(value)
    except Exception:  # said again below, in Celery's way
        prepare_encoder()  # it remembers what it was in the midst of
        if request.ignore_result or task.ignore_result:
            return NOTHING
    return _taskhost.succeed, dumps(value, serializer="json")[2]


NOTHING = (_taskhost.succeed, "null")
in_pieces = None


def json_of(value):
    return "".join(in_pieces(value, 0))


def prepare_encoder():
    """JSONEncoder makes itself one for each value; this one is kept."""
    global in_pieces
    encoder = JSONEncoder()
    if c_make_encoder is None:  # an interpreter without the C part
        in_pieces = encoder.iterencode
    else:
        in_pieces = c_make_encoder({}, encoder.default, encode_basestring_ascii, None, ": ", ", ", False, False, True)


prepare_encoder()


def failure(error):
    """The exception as handlers get it, billiard's ExceptionInfo, and the ending."""
    exception = get_pickleable_exception(error)
    if exception.__traceback__ is None:
        exception.__traceback__ = error.__traceback__
    info = information(get_pickleable_etype(type(error)), exception)
    return exception, info, (_taskhost.fail, *described(exception), printable(info.traceback))


def information(kind, exception):
    """ExceptionInfo whose traceback begins in the task's code. One that has nothing of it keeps its heading."""
    whole = exception.__traceback__
    exception.__traceback__ = in_task(whole)
    if exception.__traceback__ is not None:
        return ExceptionInfo(exc_info=(kind, exception, exception.__traceback__))
    words = format_exception(kind, exception, None)
    exception.__traceback__ = whole
    info = ExceptionInfo(exc_info=(kind, exception, whole))
    info.traceback = "Traceback (most recent call last):\n" + "".join(words)
    return info


def in_task(tb):
    """A traceback from the first frame that is not ours."""
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(OURS):
        tb = tb.tb_next
    return tb


OURS = __file__.rpartition("/")[0] + "/"


def described(exception):
    """Type, module, message and arguments, as Celery's result backends write them."""
    meta = backend.prepare_exception(exception, serializer="json")
    return meta["exc_type"], meta["exc_module"], printable(safe_str(exception)), encode(meta["exc_message"])


def printable(text):
    """What the host takes as text: UTF-8 without NUL; only tracebacks have to be changed for it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def retry(error):
    info = information(type(error), error)
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
    """A task that let another take its place has sent it, with all that was to follow. One that has given itself a state
    is left in it."""
    if attempt.was_replaced():
        return _taskhost.replace, "null"
    left = attempt.left_in()
    return (_taskhost.ignore_as, *left) if left else (_taskhost.ignore,)


def sent(request):
    """Before the ending, after which nothing is taken: what is left of what the task has sent."""
    left = attempt.end()
    if left is not None:
        # The task went on after `retry`, and its next attempt goes out all the same, as in Celery.
        publish.send(left)
    children = own(request).get("_children")
    if children:
        _taskhost.add_children(json.dumps([child.as_tuple() for child in children]))


def rejected(error):
    return _taskhost.reject, printable(safe_str(error.reason)), bool(error.requeue)


NO_TRACEBACK = ""


def left(error):
    """What no `except Exception` catches: Celery's worker loses the process by it, or hands it on as it is."""
    if isinstance(error, SystemExit):
        code = 0 if error.code is None else error.code if isinstance(error.code, int) else 1
        return lost(human_status(code))
    if isinstance(error, KeyboardInterrupt):
        return lost(type(error).__name__)
    try:
        pickle.dumps(error)
    except Exception as reason:
        # Made anew in the parent from what it was made of here: the second time from texts.
        error = MaybeEncodingError(repr(reason), repr(information(type(error), error)))
    return _taskhost.fail, *described(error), NO_TRACEBACK


def lost(status):
    return _taskhost.fail, *described(WorkerLostError(f"Worker exited prematurely: {status}.")), NO_TRACEBACK
