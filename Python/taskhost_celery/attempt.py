"""What is known of the attempt that runs, beside its request: the next attempt, whether another took its place, the
state it has given itself, and which threads are its own."""

import threading
from uuid import uuid4

import _taskhost
from celery.app.task import Task
from celery.exceptions import Ignore

# One task runs at a time; threads that it starts belong to it.
_request = _task = None
# The text of the message that `task.retry` has made: what is to become of it is known when the task ends.
_next = None
_replaced = False
# Name, meta as JSON, and meta.
_state = None
# Idents of those that were there before it began, but for the one that runs it; None: there were none.
_strangers = None


def begin(request, task):
    global _request, _task, _next, _replaced, _state, _strangers
    _request, _task, _next, _replaced, _state = request, task, None, False, None
    if threading.active_count() == 1:
        _strangers = None
    else:
        _strangers = {one.ident for one in threading.enumerate()} - {threading.get_ident()}


def end():
    """The text of a next attempt that nobody asked for in the end: the task went on after `retry`."""
    global _request
    _request = None
    return take_next()


def is_ours():
    """Whether what this thread does belongs to the task that runs. It does not where none runs, or where the thread was
    there before: one that a task of this process has left behind, or of a pool that the app keeps."""
    return _request is not None and (_strangers is None or threading.get_ident() not in _strangers)


def new_id():
    """Of the running task's: it follows from the task. Other threads come in any order: what they make is random."""
    return _taskhost.new_id() if threading.current_thread() is threading.main_thread() else str(uuid4())


def take_next():
    global _next
    text, _next = _next, None
    return text


def running():
    """Task and request that this thread works for; None: it belongs to none."""
    return (_task, _request) if is_ours() else None


def leave_in(state, text, meta):
    """`text`: the meta as JSON."""
    global _state
    _state = state, text, meta


def left_in():
    return _state and _state[:2]


def told():
    """State and meta that the task has given itself."""
    return _state and (_state[0], _state[2])


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
