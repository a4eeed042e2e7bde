"""Errbacks that take (request, exception, traceback): the host calls them where the task failed, without a message."""

import _taskhost
from celery.app.task import Context

from .request import HEADERS


def arguments(app, request):
    """The arguments as Celery passes them: a request, an exception, a text; as they are if this is an ordinary call."""
    args = request.args
    if _taskhost.text(HEADERS) not in (None, "", "{}") or not isinstance(args[1], dict) or "exc_type" not in args[1]:
        return args
    request.args = args = [Context(args[0]), app.backend.exception_to_python(args[1]), *args[2:]]
    return args
