"""self.retry: Celery publishes the next attempt before it raises Retry; here the host does, when it has the ending."""
from celery.app.task import Task


def install(app):
    of_celery = Task.signature_from_request

    def signature_from_request(self, *args, **kwargs):
        signature = of_celery(self, *args, **kwargs)
        signature.apply_async = not_sent
        return signature

    Task.signature_from_request = signature_from_request


def not_sent(*args, **kwargs):
    """The host sends it."""
