"""No open file is carried into a forked process, as web servers and Python's multiprocessing make them.

SQLite's locks belong to the process that took them, while its memory of having taken them is copied: a child would work on
the file without any. So files are closed before a fork, and opened again on both sides by whoever uses them next.
"""
import os
import threading
import weakref

from taskhost_client.errors import BrokerRefused

_watched = weakref.WeakSet()
_held = []


def watch(file):
    """`file` has `lock` and `close()`."""
    file.process = os.getpid()
    _watched.add(file)


def check(file):
    """Raises in a child of a fork that Python was not told of."""
    if file.process != os.getpid():
        raise BrokerRefused(f"This process was forked while {file.address.path} was open, behind Python's back. Send nothing "
                          "before the fork (uWSGI: lazy-apps = true)")


def _before():
    for file in list(_watched):
        file.lock.acquire()
        _held.append(file)
        file.close()


def _after_in_parent():
    while _held:
        _held.pop().lock.release()


def _after_in_child():
    while _held:
        file = _held.pop()
        # Other threads, which are not in the child, may wait for the old one.
        file.lock = threading.RLock()
        file.process = os.getpid()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
