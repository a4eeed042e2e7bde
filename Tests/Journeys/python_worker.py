"""The app of a stock Celery worker that has tasks of the journeys' bundle, under the same names and options.

BROKER, BACKEND and QUEUE are in its environment.
"""
import os
import time

from celery import Celery

app = Celery("beside", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    # As taskhost does unless it is told otherwise.
    task_acks_late=True, task_default_queue=os.environ["QUEUE"], broker_connection_retry_on_startup=True)


@app.task(name="tasks.add")
def add(x, y):
    return x + y


@app.task(name="journey.mark")
def mark(path, word, pause=0.0):
    with open(path, "a") as file:
        file.write(word + "\n")
    time.sleep(pause)
    return word


@app.task(name="journey.gate")
def gate(path, word, gate_file):
    with open(path, "a") as file:
        file.write(word + "\n")
    while not os.path.exists(gate_file):
        time.sleep(0.005)
    with open(path, "a") as file:
        file.write(word + " done\n")
    return word
