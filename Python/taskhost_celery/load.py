"""Once per zygote: finds the app as Celery does, and registers its tasks. Once per child: what a child has of its own."""
import gc
import os
import sys
import traceback

import _taskhost

from . import process, zygote


def start():
    """Called by python.so: None, or why the bundle cannot be used."""
    name = os.environ.get("TASKHOST_PYTHON_APP") or os.environ.get("CELERY_APP")
    if not name:
        return "was not told of an app: start the worker with `taskhost -A APP worker`, or set TASKHOST_PYTHON_APP"
    # Celery's own switch: its stacks of tasks and requests are plain lists then, of each thread.
    os.environ["USE_FAST_LOCALS"] = "1"
    try:
        with process.without_work_folder():
            import celery.app.utils
            import celery.utils.threads  # noqa: F401
    except ImportError:
        return (f"needs Celery, which {sys.executable} does not have: {sys.executable} -m pip install celery, or name "
                "another interpreter with --python")
    del os.environ["USE_FAST_LOCALS"]
    try:
        os.chdir(os.environ.get("TASKHOST_PYTHON_WORKDIR") or ".")
        process.behave_as_python(name)
        gc.disable()
        before = zygote.connections()
        app = celery.app.utils.find_app(name)
        if not isinstance(app, celery.Celery):
            return f"finds no Celery app in '{name}': name it as MODULE:APP"
        open_app(app)
        load(app)
    except BaseException as error:  # SystemExit of a module, too
        return cannot_import(name, error)
    zygote.complain_of_connections(before)
    # What is collected never touches the pages that all children share.
    gc.collect()
    gc.freeze()
    gc.enable()
    return zygote.refuse_threads()


def cannot_import(name, error):
    """One sentence with the fix; the traceback under it, from the app's own code."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()
    return (f"cannot import the app '{name}': {type(error).__name__}: {error}: mend it, or look at -A, --workdir and "
            f"--python; traceback:\n{text}")


def open_app(app):
    """With all of its tasks, as a worker of Celery has it before it forks."""
    from celery.app import trace
    app.loader.init_worker()
    trace.setup_worker_optimizations(app, process.hostname())


def load(app):
    from . import child, hosting, options, own_results, state
    if not own_results.install(app):
        state.install(app)
    hosting.install(app)
    child.prepare(app)
    for task in options.own_tasks(app):
        if not _taskhost.add(task.name, child.runner(task), options.signature(task), options.of(task, app)):
            return  # the host has noted why not


def born():
    """Called by python.so in each child, before its first task."""
    from . import hosting
    hosting.child_started()
