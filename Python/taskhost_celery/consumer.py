"""What receivers of signals are shown of the part of a worker that takes messages, and of a message in its hands.

Celery's worker has a consumer and requests; here the host has them, and these are what they say.
"""
from . import process, worker_signals


class Consumer:
    """The sender of worker_ready, task_received, task_unknown and task_rejected."""

    pool = timer = event_dispatcher = connection = None

    def __init__(self, app):
        self.app = app
        self.hostname = process.hostname()
        self.controller = worker_signals.worker
        self.pid = self.controller.pid if self.controller else None

    def __repr__(self):
        return f"<Consumer: {self.hostname} (taskhost)>"


_consumer = None


def of(app):
    global _consumer
    if _consumer is None:
        _consumer = Consumer(app)
    return _consumer


class Request:
    """As celery.worker.request.Request: around the context that a task has as `self.request`."""

    acknowledged = False

    def __init__(self, task, context):
        self.task = task
        self.app = task.app
        self.name = self.type = self.task_name = task.name
        self.task_id = context.id
        self._context = self.request_dict = context

    def __getattr__(self, name):
        return getattr(self.__dict__["_context"], name)

    def info(self, safe=False):
        return {"id": self.id, "name": self.name, "args": self.args, "kwargs": self.kwargs, "type": self.name,
                "hostname": self.hostname, "acknowledged": self.acknowledged, "delivery_info": self.delivery_info}

    def humaninfo(self):
        return f"{self.name}[{self.id}]"

    __str__ = humaninfo

    def __repr__(self):
        return f"<Request: {self.humaninfo()} {self.args!r} {self.kwargs!r}>"
