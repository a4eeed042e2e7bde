"""The tour's tasks for Python's worker; tour.c has the same for taskhost. The queue is the app's default one."""
import os

from celery import Celery

app = Celery("tour", broker=os.environ["TOUR_BROKER"], backend=os.environ["TOUR_BACKEND"])
app.conf.task_default_queue = os.environ["TOUR_QUEUE"]
app.conf.worker_cancel_long_running_tasks_on_connection_loss = True


@app.task(name="tour.add")
def add(x, y):
    return x + y


@app.task(name="tour.multiply")
def multiply(x, y):
    return x * y


@app.task(name="tour.total")
def total(numbers):
    return sum(numbers)


@app.task(name="tour.echo")
def echo(value):
    return value


@app.task(name="tour.fail")
def fail(text):
    raise ValueError(text)


@app.task(name="tour.steps", bind=True)
def steps(self, count):
    for step in range(1, count + 1):
        self.update_state(state="PROGRESS", meta={"current": step, "total": count})
    return count
