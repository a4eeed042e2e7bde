"""The Python half of the mixed fleet: a stock Celery app whose tasks are those of fleet.c; it is its worker's, too.

FLEET_BROKER, FLEET_BACKEND and FLEET_QUEUE say where.
"""
import os
import time

from celery import Celery

app = Celery("fleet", broker=os.environ["FLEET_BROKER"], backend=os.environ["FLEET_BACKEND"], set_as_current=True)
app.conf.update(
    task_default_queue=os.environ["FLEET_QUEUE"], task_acks_late=True, task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1, broker_transport_options={"confirm_publish": True},
    result_extended=True, broker_connection_retry_on_startup=True)


@app.task(name="fleet.add")
def add(x, y, milliseconds=0):
    time.sleep(milliseconds / 1000)
    return x + y


@app.task(name="fleet.total")
def total(numbers):
    return sum(numbers)


@app.task(name="fleet.identity")
def identity(value):
    return value
