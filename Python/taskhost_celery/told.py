"""A task that is told to end from outside: at its hard limit, by `revoke(terminate=True)`, or since the worker stops.

As in Celery's children the signal raises SystemExit in the task, so that `finally` is run and locks are let go; then
task_postrun and worker_process_shutdown come, and the process ends by the signal. The host kills what takes too long.
"""
import os
import signal
import sys

from . import attempt, process

SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
_by = None  # the one of them that has come


def install():
    """In the zygote, before the app is imported: handlers of its own go before these."""
    for number in SIGNALS:
        signal.signal(number, tell)


def tell(number, frame):
    global _by
    if process.forks != 1:
        end_by(number)  # what the task has forked ends at once
    if attempt.running():
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
        _by = number
        sys.exit(code(number))


def code(number):
    """As Celery's pool says it."""
    return number - 256


def end_of(error, last_word):
    """The ending, in the place of those that the host is told of, if this is what the signal has raised; else None."""
    if _by is None or not isinstance(error, SystemExit) or error.code != code(_by):
        return None
    return end, last_word


def end(last_word):
    try:
        last_word()
    finally:
        end_by(_by)


def end_by(number):
    number = signal.SIGTERM if number == signal.SIGQUIT else number  # which would leave a core
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
