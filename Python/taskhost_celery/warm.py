"""Before the zygote forks: what each child would do first is done here, or made needless.

A child copies each page that it writes to, and CPython writes where it seems to read: reference counts, the caches of types,
the counters by which code is specialised. A fresh child of a task that does nothing spends most of its time with that.
"""
import gc
import logging
import os
import random
import threading

from celery import signals
from celery.app.task import Task

from . import child, process

# CPython specialises code after some calls.
TIMES = 50


def up(app):
    hooks = lists_of_hooks()
    if hooks is not None:
        lighten(hooks)
    nothing = app.subclass_with_self(Task, name="taskhost.nothing", attribute="_app")
    nothing.run = lambda self: None
    nothing.bind(app)
    task = nothing()
    with nobody_listening(signals.task_received, signals.task_prerun, signals.task_postrun, signals.task_success):
        run = child.runner(task)
        for _ in range(TIMES):
            run("[[], {}, null]")


class nobody_listening:
    def __init__(self, *muted):
        self.muted = [(one, one.receivers) for one in muted]

    def __enter__(self):
        for one, _ in self.muted:
            one.receivers = []

    def __exit__(self, *_):
        for one, receivers in self.muted:
            one.receivers = receivers


def lists_of_hooks():
    """CPython's own list of what os.register_at_fork has registered for children; None: not found, and nothing is changed."""
    found = [one for one in gc.get_referrers(process.after_fork) if type(one) is list and process.after_fork in one]
    return found[0] if len(found) == 1 else None


def lighten(hooks):
    """The standard library's hooks set right what other threads may have held at the fork. The zygote has no others and
    holds nothing, so its children need less; what they fork themselves gets all of it again."""
    whole, zygote = list(hooks), os.getpid()
    light = {
        # What is left of it is in process.after_fork.
        getattr(threading, "_after_fork", None): None,
        # Locks of handlers are free; that of the module is held since PyOS_BeforeFork.
        getattr(logging, "_after_at_fork_child_reinit_locks", None): logging._lock._at_fork_reinit,
        # Without its Python part, whose one effect is this.
        random.seed: super(random.Random, random._inst).seed,
    }
    random._inst.gauss_next = None
    hooks[:] = [one for one in (light.get(hook, hook) for hook in hooks) if one is not None]

    def restore():
        if os.getpid() != zygote:
            hooks[:] = whole

    os.register_at_fork(before=restore)
