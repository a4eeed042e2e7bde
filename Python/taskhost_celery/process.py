"""What `python` and Celery's worker set up in a process, and an embedded interpreter leaves out."""
import contextlib
import faulthandler
import os
import signal
import socket
import sys
import threading

import _taskhost

forks = 0
hears_host = False  # set in the process of listener.py
main_thread = threading.main_thread()


def behave_as_python(name):
    """Before the app is imported."""
    from billiard.pool import soft_timeout_sighandler

    from . import instrumented
    instrumented.prepare()
    sys.argv = ["taskhost", "-A", name, "worker"]
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # python.so raises it at the soft limit; Celery's own children have the same handler.
    signal.signal(signal.SIGUSR1, soft_timeout_sighandler)
    for stream in (sys.stdout, sys.stderr):
        # A line reaches the log when it is written, whatever becomes of the child.
        stream.reconfigure(line_buffering=True)
    descriptor = _taskhost.crash_fd()
    if descriptor >= 0:
        # Its handlers run after those of the runner, which notes the native stack and lets the fault happen again.
        faulthandler.enable(file=descriptor)
    os.register_at_fork(after_in_child=after_fork)


def after_fork():
    global forks
    forks += 1
    if forks == 1:  # a child of the zygote
        main_thread._native_id = os.getpid()
        random = sys.modules.get("numpy.random")
        if random is not None:
            random.seed()  # Python's own generator does it by itself; numpy's would go on alike in all children
    elif faulthandler.is_enabled():
        faulthandler.enable()  # a process that the task has forked: its stack goes to stderr


@contextlib.contextmanager
def without_work_folder():
    """A file of the user's that is called celery.py or kombu.py is his app, not the library."""
    whole, folder = sys.path[:], os.environ.get("TASKHOST_PYTHON_WORKDIR") or os.getcwd()
    sys.path[:] = [one for one in whole if one not in ("", folder)]
    try:
        yield
    finally:
        sys.path[:] = whole


def hostname():
    """As self.request.hostname has it."""
    return os.environ.get("TASKHOST_PYTHON_HOSTNAME") or f"celery@{socket.gethostname()}"
