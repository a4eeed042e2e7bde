"""What makes an app a hosted one: done once in the zygote, when its modules are imported, and once in each child."""

import sys

import _taskhost
import billiard.util
import kombu.pools
from celery import _state
from celery.app import control, trace
from celery.loaders.base import BaseLoader
from kombu.utils.uuid import uuid

from . import attempt, libraries, logs, options, publish, threads, worker_signals
from .process import hostname

begin_process = None  # what the app's loader does in each child; None: nothing
runs_after_fork = True  # whether billiard's hooks have anything to do


def install(app):
    """In the zygote. Children find everything made."""
    global begin_process, runs_after_fork
    app.set_current()
    _state.set_default_app(app)
    # As in every pool of processes: a task that waits for others needs `disable_sync_subtasks=False`.
    _state._set_task_join_will_block(True)
    # Within a task ids follow from it: what is sent again after a crash is the same.
    uuid.__defaults__ = (attempt.new_id,)
    attempt.install()
    publish.install(app)
    _taskhost.at_exit(child_ends)
    worker_signals.start(app, logs.set_up)
    if all(task.name in options.ABOUT_RESULTS for task in options.own_tasks(app)):
        print(f"taskhost: the app '{app.main}' has no tasks: name their modules in `include`, or call autodiscover_tasks()",
              file=sys.stderr)
    for name, task in app.tasks.items():
        # Not called: but what instruments tasks (Sentry) does so where Celery builds its tracers.
        task.__trace__ = trace.build_tracer(name, task, app.loader, hostname(), app=app)
    begin_process = own_of(app.loader, "init_worker_process", "on_worker_process_init")
    runs_after_fork = any(left(function, of) for (_, _, function), of in billiard.util._afterfork_registry.items())


def own_of(loader, name, *parts):
    """The method, if the loader's class overrides that of Celery's base, which does nothing, or its parts; else None."""
    changed = any(getattr(type(loader), one) is not getattr(BaseLoader, one) for one in (name, *parts))
    return getattr(loader, name) if changed else None


def left(function, of):
    """What billiard would do in a child: pools of connections are emptied, if there is anything in them."""
    if function is getattr(control, "_after_fork_cleanup_control", None):
        return "producer_pool" in vars(of.mailbox)
    return function is not getattr(kombu.pools, "_after_fork_cleanup_group", None) or len(of) > 0


def child_started():
    """Before the first task of a child: connections made while importing are not used again. What need not be done is
    not looked at: it costs a fresh child pages that it has to copy."""
    if runs_after_fork:
        billiard.util._run_after_forkers()
    if threads.again:
        threads.start_again()
    worker_signals.child_started(begin_process)


def child_ends():
    worker_signals.child_ends()
    threads.stop_again()
    libraries.flush()
