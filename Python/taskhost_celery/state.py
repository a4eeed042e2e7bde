"""self.update_state: a task's own states go through the host."""
import _taskhost
from celery import states
from celery.app.task import Task
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
            attempt.leave_in(state, dumps(self.backend.encode_result(meta, state)))
        if own and state is not None and state not in ENDINGS:
            _taskhost.state(*attempt.left_in())
        else:
            by_backend(self, task_id, state, meta, **kwargs)

    Task.update_state = update_state
