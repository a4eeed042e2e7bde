"""What is known of the attempt that runs, beside its request: the next attempt, and whether another took its place."""

from celery.app.task import Task
from celery.exceptions import Ignore

# One task runs at a time; threads of its own belong to it.
_request = None
# The text of the message that `task.retry` has made: what is to become of it is known when the task ends.
_next = None
_replaced = False


def begin(request):
    global _request, _next, _replaced
    _request, _next, _replaced = request, None, False


def end():
    """The text of a next attempt that nobody asked for in the end: the task went on after `retry`."""
    global _request
    _request = None
    return take_next()


def take_next():
    global _next
    text, _next = _next, None
    return text


def keep_back(call, text):
    """Whether this message is the present task's next attempt: it goes out with the RETRY that it follows from."""
    global _next
    request = _request
    if (request is None or _next is not None or call.get("id") != request.id
            or call.get("retries") != (request.retries or 0) + 1 or request.id is None):
        return False
    _next = text
    return True


def was_replaced():
    return _replaced


def install():
    """Once, in the zygote: `replace` is remembered, since its Ignore means that others give the result."""
    original = Task.replace

    def replace(self, sig):
        global _replaced
        try:
            return original(self, sig)
        except Ignore:
            _replaced = True
            raise

    replace.__doc__ = original.__doc__
    Task.replace = replace
