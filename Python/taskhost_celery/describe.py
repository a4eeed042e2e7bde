"""Says what an app is: its interpreter, its settings as taskhost has them, and what becomes of Celery's own.

A worker hears it of the zygote that has imported the app (load.py). Other commands start a process of its own:

    PYTHON -c 'import sys; sys.path[0] = FOLDER; from taskhost_celery import describe; describe.main()' APP SECONDS

It writes one JSON document to descriptor 3. What the app prints goes to standard error. Written so that interpreters
that are too old can still read it, and say so.
"""
import faulthandler
import json
import os
import sys

from .problem import Problem

OUTPUT = 3
#: Seconds before our end by the host: time for the stack to be written.
WARNING = 0.5


def expect_end(limit):
    """Whoever is killed for taking too long has said where it hangs."""
    faulthandler.dump_traceback_later(max(0.1, limit - WARNING), exit=False)


def main():
    app, limit = sys.argv[1], float(sys.argv[2])
    expect_end(limit)
    os.dup2(2, 1)
    try:
        document = describe(app)
    except Problem as problem:
        document = {"problem": problem.as_dict()}
    faulthandler.cancel_dump_traceback_later()
    tell(document)
    # Threads that the import has started, and handlers that would close what they opened, are of no use here.
    os._exit(0)


def tell(document):
    data = json.dumps(document).encode("utf-8")
    while data:
        data = data[os.write(OUTPUT, data):]
    sys.stderr.flush()


def describe(name):
    from . import interpreter
    interpreter.check()
    facts = interpreter.facts()
    from . import find
    app = find.find_app(name)
    find.complete(app, name)
    return document(app, name, facts)


def document(app, name, facts):
    """Of an app that is complete."""
    from . import find, settings, unsent
    try:
        ours, theirs, stores = settings.collect(app)
    except Exception:
        # Celery reads some of its settings only when they are used.
        raise find.failed(name)
    return {"python": facts,
            "app": {"name": app.main or name, "tasks": len([task for task in app.tasks if not is_builtin(task)])},
            "settings": ours, "celery": theirs, "stores_results": stores, "unsent": unsent.waited_for()}


def is_builtin(task):
    return task.startswith("celery.")
