"""Tasks that end their process, each start written down in a file first."""
import os

from celery import Celery

app = Celery("deadly")


def die(path):
    with open(path, "a") as file:
        file.write("started\n")
    os._exit(7)


@app.task(acks_late=False)
def once(path):
    die(path)


@app.task
def again(path):
    die(path)
