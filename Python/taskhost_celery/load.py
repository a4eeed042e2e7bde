"""Once per zygote: imports the app as Celery does, says what it is if the worker asks, and registers its tasks. Once per
child: what a child has of its own."""
import faulthandler
import gc
import os

import _taskhost

from . import describe, find, interpreter, own_options, process, zygote
from .conversation import Conversation
from .problem import Problem


def start():
    """Called by python.so: None, or why the bundle cannot be used."""
    foreign = zygote.descriptors()
    talk = Conversation()
    try:
        app = take_app(talk)
    except Problem as problem:
        talk.tell(lambda: {"problem": problem.as_dict()})
        return refusal(problem)
    # What children collect never touches the pages that all share. What the import itself has left is one object in a
    # hundred, and a collection now takes a twentieth of the import's time.
    gc.freeze()
    gc.enable()
    fault = zygote.refuse_threads()
    if fault is None:
        from . import listener
        listener.start(app, talk, foreign)
    talk.end()
    return fault


def refusal(problem):
    said = ["cannot serve: " + problem.sentence]
    if problem.fix:
        said.append(problem.fix)
    if problem.trace:
        said.append("traceback:\n" + problem.trace)
    return ": ".join(said)


def take_app(talk):
    name = os.environ.get("TASKHOST_PYTHON_APP") or os.environ.get("CELERY_APP")
    if not name:
        raise Problem("no app was named", "start the worker with `taskhost -A APP worker`, or set TASKHOST_PYTHON_APP")
    describe.expect_end(float(os.environ.get("TASKHOST_PYTHON_IMPORT_SECONDS") or 60))
    import_celery()
    os.chdir(os.environ.get("TASKHOST_PYTHON_WORKDIR") or ".")
    process.behave_as_python(name)
    from . import told
    told.install()
    gc.disable()
    before = zygote.connections()
    app = find.find_app(name)
    find.complete(app, name, as_worker=True)
    os.environ.update(talk.ask(lambda: describe.document(app, name, facts())))
    try:
        load(app)
    except Exception:
        raise find.failed(name)
    faulthandler.cancel_dump_traceback_later()
    zygote.complain_of_connections(before)
    return app


def import_celery():
    # Celery's own switch: its stacks of tasks and requests are plain lists then, of each thread.
    os.environ["USE_FAST_LOCALS"] = "1"
    with process.without_work_folder():
        interpreter.celery_version()
        import celery.utils.threads  # noqa: F401
        own_options.record()
    del os.environ["USE_FAST_LOCALS"]


def facts():
    return interpreter.facts(os.environ.get("TASKHOST_PYTHON_LIBRARY"))


def load(app):
    """With all of its tasks, as a worker of Celery has it before it forks."""
    global born
    from celery.app import trace

    from . import child, hosting, options, own_results, state, warm
    trace.setup_worker_optimizations(app, process.hostname())
    if not own_results.install(app):
        state.install(app)
    hosting.install(app)
    born = hosting.child_started
    child.prepare(app)
    for task in options.own_tasks(app):
        if not _taskhost.add(task.name, child.runner(task), options.signature(task), options.of(task, app)):
            return  # the host has noted why not
    warm.up(app)


#: Called by python.so in each child, before its first task.
born = None
