"""Finds a Celery app as Celery's own -A does, and says what is wrong when there is none."""
import os
import sys
import traceback

from .problem import Problem


def find_app(name):
    """The app, with its configuration read and its tasks there. The work folder comes first on the path, as with
    Celery's command; Celery itself has been imported before. Raises Problem."""
    from celery import Celery
    from celery.app.utils import find_app as by_name

    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        app = by_name(name)
    except ModuleNotFoundError as error:
        module, colon, variable = name.partition(":")
        # Celery takes a name that is not there for a module's.
        if colon and error.name == name and module in sys.modules:
            raise Problem("%s has no %s" % (module, variable), apps_of(module, Celery))
        if error.name and (name.partition(":")[0] + ".").startswith(error.name + "."):
            raise missing(error.name, folder)
        raise failed(name)
    except AttributeError as error:
        trace = error.__traceback__
        # Raised by what was looked for, not within the app's own code.
        if not within(trace, folder):
            raise Problem("%s has no Celery app" % name,
                          "name it: -A %s:APP, APP being the variable that holds Celery(…)" % name.partition(":")[0])
        raise failed(name)
    except Exception:
        raise failed(name)
    except SystemExit as error:
        raise Problem("%s ends the process while it is imported (SystemExit %s)" % (name, error.code),
                      "guard what is a program by: if __name__ == \"__main__\":", plain_trace())
    if not isinstance(app, Celery):
        raise Problem("%s is no Celery app but a %s" % (name, type(app).__name__),
                      "name it: -A %s:APP, APP being the variable that holds Celery(…)" % name.partition(":")[0])
    return app


def apps_of(module, kind):
    found = [variable for variable, value in vars(sys.modules[module]).items() if isinstance(value, kind)]
    if not found:
        return "name the variable that holds Celery(…)"
    return "there is: " + ", ".join("-A %s:%s" % (module, variable) for variable in found)


def complete(app, name, as_worker=False):
    """Reads the app's configuration, imports its tasks and binds them, as a worker of Celery's does at its start."""
    try:
        app.set_current()
        if as_worker:
            app.loader.init_worker()
        else:
            app.loader.import_default_modules()
        app.finalize(auto=True)
        app.conf.finalize()
    except Exception:
        raise failed(name, "put it right: it is in a module that the app names in include or imports, or that is found by "
                           "autodiscover_tasks()")
    except SystemExit as error:
        raise Problem("%s ends the process while it is imported (SystemExit %s)" % (name, error.code), None,
                      plain_trace())


def missing(module, folder):
    hint = "start it from the folder that %s lies in, or name that with --workdir" % module.partition(".")[0]
    near = sorted(entry[:-3] if entry.endswith(".py") else entry for entry in os.listdir(folder)
                  if entry.endswith(".py") or os.path.isfile(os.path.join(folder, entry, "__init__.py")))
    if near:
        hint += "; in %s there is: %s" % (folder, ", ".join(near[:8]))
    return Problem("there is no module %s" % module, hint)


def failed(name, fix=None):
    kind, error, _ = sys.exc_info()
    return Problem("%s cannot be imported: %s: %s" % (name, kind.__name__, first_line(error)),
                   fix or "put it right; `%s -c 'import %s'` shows the same" % (sys.executable, name.partition(":")[0]),
                   plain_trace())


def first_line(error):
    text = str(error).strip()
    return text.splitlines()[0] if text else "(no message)"


def plain_trace():
    """The traceback from the app's own first line on, if it has one: how Celery got there is no news."""
    kind, error, trace = sys.exc_info()
    while trace is not None and not is_own(trace, os.getcwd()):
        trace = trace.tb_next
    return "".join(traceback.format_exception(kind, error, trace, chain=error.__cause__ is not None)).rstrip()


def is_own(trace, folder):
    return os.path.abspath(trace.tb_frame.f_code.co_filename).startswith(folder + os.sep) and not is_way(trace)


def is_way(trace):
    """Installed beside the app (a virtual environment often lies in its folder), or Python's own."""
    name = trace.tb_frame.f_code.co_filename
    return os.sep + "site-packages" + os.sep in name or name.startswith(("<frozen", sys.base_prefix + os.sep))


def within(trace, folder):
    while trace is not None:
        if is_own(trace, folder):
            return True
        trace = trace.tb_next
    return False
