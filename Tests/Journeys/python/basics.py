"""An app of the journeys: one task for each ending."""
import celery
from celery.exceptions import Ignore, Reject

app = celery.Celery("basics")


class Busy(Exception):
    """Of the app's own."""


@app.task
def add(x, y=0):
    """The sum of two numbers."""
    return x + y


@app.task
def divide(x, y):
    return x / y


@app.task(bind=True)
def progress(self, until):
    for done in range(1, until + 1):
        self.update_state(state="PROGRESS", meta={"done": done})
    return done


@app.task(bind=True, default_retry_delay=0)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry(exc=Busy("not yet"), countdown=0)
    return self.request.retries


@app.task
def turn_down(reason):
    raise Reject(reason, requeue=False)


@app.task
def pass_over():
    raise Ignore()


@app.task
def fail_with(*arguments):
    raise Busy(*arguments)
