"""Once per zygote: finds the app as Celery does, and registers its tasks."""
import gc
import os
import signal
import sys

import _taskhost


def load():
    """Called by python.so. An exception refuses the bundle."""
    name = os.environ.get("TASKHOST_PYTHON_APP") or os.environ.get("CELERY_APP")
    if not name:
        raise SystemExit("no app: start the worker with `taskhost -A APP worker`, or set TASKHOST_PYTHON_APP")
    os.chdir(os.environ.get("TASKHOST_PYTHON_WORKDIR") or ".")
    behave_as_python(name)
    gc.disable()
    app = open_app(name)
    from . import child, hosting, options, state
    state.install(app)
    hosting.install(app)
    child.prepare(app)
    for task in options.own_tasks(app):
        if not _taskhost.add(task.name, child.runner(task), options.signature(task), options.of(task, app)):
            return  # the host has noted why not
    # What is collected never touches the pages that all children share.
    gc.collect()
    gc.freeze()
    gc.enable()


def behave_as_python(name):
    """What `python` itself does and an embedded interpreter leaves out."""
    sys.argv = ["taskhost", "-A", name, "worker"]
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        # A line reaches the log when it is written, whatever becomes of the child.
        stream.reconfigure(line_buffering=True)


def open_app(name):
    """The app with all of its tasks, as a worker of Celery has it before it forks."""
    from celery.app import trace
    from celery.app.utils import find_app
    app = find_app(name)
    app.loader.init_worker()
    trace.setup_worker_optimizations(app, hostname())
    return app


def hostname():
    """As self.request.hostname has it."""
    import socket
    return os.environ.get("TASKHOST_PYTHON_HOSTNAME") or f"celery@{socket.gethostname()}"
