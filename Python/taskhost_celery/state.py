"""self.update_state: a task's own states go through the host. A task that reads its own state is told it here: the host
may not have stored it yet."""
import os

import _taskhost
from celery import states
from celery.app.task import Task
from celery.backends.base import Backend
from kombu.utils.json import dumps

from . import attempt

# How a task ends: the host takes these from the ending alone, or from a task that ends by Ignore.
ENDINGS = frozenset((states.SUCCESS, states.FAILURE, states.RETRY, states.REVOKED))


def install(app):
    """Another task's state, or an ending given as a state, is written to the app's own backend, as in Celery."""
    by_backend = Task.update_state

    def update_state(self, task_id=None, state=None, meta=None, **kwargs):
        request = self.request
        own = request.called_directly is False and (task_id is None or task_id == request.id)
        if own and state is not None:
            attempt.leave_in(state, dumps(self.backend.encode_result(meta, state)), meta)
        if own and state is not None and state not in ENDINGS:
            _taskhost.state(*attempt.left_in())
        else:
            by_backend(self, task_id, state, meta, **kwargs)

    Task.update_state = update_state
    by_store = Backend.get_task_meta

    def get_task_meta(self, task_id, cache=True):
        found = own_meta(task_id)
        return found or by_store(self, task_id, cache=cache)

    Backend.get_task_meta = get_task_meta


def own_meta(task_id):
    """Of the task that runs, asked for by a thread of its own; None: it has no state that the host tells."""
    task, request = attempt.running() or (None, None)
    if task is None or request.id != task_id:
        return None
    told = attempt.told()
    if told is None:
        if not (task.track_started and not task.ignore_result):
            return None
        told = states.STARTED, {"pid": os.getpid(), "hostname": request.hostname}
    return {"task_id": task_id, "status": told[0], "result": told[1], "traceback": None, "children": []}
