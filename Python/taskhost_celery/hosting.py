"""What makes an app a hosted one: done once in the zygote, when its modules are imported, and once in each child."""

import sys

import _taskhost
import billiard.util
from celery import _state
from celery.app import trace
from kombu.utils.uuid import uuid

from . import attempt, libraries, logs, options, publish, threads, worker_signals
from .process import hostname

hosted = None  # the app


def install(app):
    """In the zygote. Children find everything made."""
    global hosted
    hosted = app
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


def child_started():
    """Before the first task of a child: connections made while importing are not used again."""
    billiard.util._run_after_forkers()
    threads.start_again()
    worker_signals.child_started(hosted)


def child_ends():
    worker_signals.child_ends()
    threads.stop_again()
    libraries.flush()
