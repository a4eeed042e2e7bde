"""An app of the journeys: tasks that send others, retry, and let others take their place."""
import os
import threading
import time

import celery
from celery import chain, chord, group

app = celery.Celery("sending", broker=os.environ.get("APP_BROKER"), backend=os.environ.get("APP_BACKEND"))
app.conf.task_default_queue = os.environ.get("APP_QUEUE", "celery")


@app.task
def add(x, y):
    return x + y


@app.task
def same(x):
    return app.send_task("sending.given", (x,)).id


@app.task
def given(x):
    return [x, type(x[0]).__name__, type(x[1]).__name__]


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True)
def look(self):
    """What the request says, and where the child is connected to."""
    request = self.request
    return {"id": request.id, "root": request.root_id, "parent": request.parent_id, "queue": request.delivery_info,
            "headers": request.headers, "limits": request.timelimit, "host": request.hostname,
            "direct": request.called_directly, "eager": request.is_eager, "retries": request.retries,
            "stamps": request.stamps, "reply_to": request.reply_to, "links": sockets()}


def sockets():
    """The remote ends of the process's connections over TCP."""
    inodes = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    with open("/proc/self/net/tcp") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    return [int(line[2].rpartition(":")[2], 16) for line in lines if line[9] in inodes]


@app.task(bind=True)
def sends(self):
    one = add.delay(1, 2)
    two = app.send_task("sending.add", (3, 4), countdown=0.1)
    line = chain(add.s(1, 1), add.s(10)).apply_async()
    both = group(add.s(1, 1), add.s(2, 2)).apply_async()
    sum_ = chord([add.s(1, 1), add.s(2, 2)], total.s()).apply_async()
    parts = add.chunks(zip(range(4), range(4)), 2).apply_async()
    return {"ids": [one.id, two.id, line.id, both.id, sum_.id, parts.id], "links": sockets()}


@app.task(bind=True)
def gives_way(self, how, x):
    sig = {"task": add.s(x, 1), "chain": chain(add.s(x, 1), add.s(1)), "group": group(add.s(x, 1), add.s(x, 2)),
           "chord": chord([add.s(x, 1), add.s(x, 2)], total.s())}[how]
    return self.replace(sig)


@app.task(bind=True)
def adds_to_its_chord(self, x):
    self.add_to_chord(add.s(x, 1))
    return x


@app.task(bind=True, max_retries=2)
def retries(self, x, **options):
    if self.request.retries < 2:
        raise self.retry((x + 1,), {"priority_seen": (self.request.delivery_info or {}).get("priority")}, countdown=0)
    return [x, options, self.request.retries, self.request.delivery_info]


@app.task(bind=True, max_retries=1)
def gives_up(self):
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise self.retry(exc=error, countdown=0)


@app.task(autoretry_for=(KeyError,), retry_kwargs={"max_retries": 2, "countdown": 0})
def by_itself():
    raise KeyError("gone")


@app.task(bind=True)
def goes_on(self):
    """Sends its next attempt, and succeeds all the same: as in Celery."""
    if self.request.retries == 0:
        self.retry(throw=False, countdown=0)
        return
    app.backend.set(f"again-{self.request.id}", "yes")


@app.task
def errback(request, error, trace):
    app.backend.set(f"errback-{request.id}", f"{type(error).__name__}: {error}; {request.task}")


@app.task
def fails():
    raise ValueError("on purpose")


@app.task
def commands(id):
    """Remote control goes by a connection of the app's own."""
    app.control.revoke(id)
    return app.control.ping(timeout=10, limit=1)


@app.task
def leaves_a_thread(path, id):
    """Which sends when the task is long over."""
    def later():
        while not os.path.exists(path):
            time.sleep(0.01)
        add.apply_async((1, 1), task_id=id)

    threading.Thread(target=later).start()


@app.task(bind=True)
def says(self):
    self.send_event("task-custom", text="hello")
