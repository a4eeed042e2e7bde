"""Workers with a Celery app: python.so and what it has to be told."""
import json
import os
import subprocess
import sys

from lab import settings
from lab.worker import Worker

APPS = os.path.join(settings.ROOT, "Tests", "Journeys", "python")
NAMES = ["TASKHOST_PYTHON_APP", "TASKHOST_PYTHON_LIBRARY", "TASKHOST_PYTHON_EXECUTABLE", "TASKHOST_PYTHON_PATH",
         "TASKHOST_PYTHON_WORKDIR"]


def bundle():
    return settings.dist("lib", "taskhost", "python.so")


def library(executable=sys.executable):
    """The libpython of an interpreter."""
    return ask(executable, "import sysconfig as s; print(s.get_config_var('LIBDIR'), s.get_config_var('INSTSONAME'), sep='/')")


def ask(executable, program):
    """What an interpreter prints."""
    return subprocess.run([executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def environment(app, executable=sys.executable, workdir=APPS):
    return {"TASKHOST_PYTHON_APP": app, "TASKHOST_PYTHON_EXECUTABLE": executable,
            "TASKHOST_PYTHON_LIBRARY": library(executable), "TASKHOST_PYTHON_WORKDIR": workdir,
            "TASKHOST_PYTHON_PATH": os.pathsep.join((workdir, settings.dist("share", "taskhost", "python")))}


def options(folder, more="", names=()):
    """Words for a worker: which variables the bundle may see (`names`: the app's own), and more of a taskhost.toml."""
    names = ", ".join(f'"{name}"' for name in [*NAMES, *names])
    path = os.path.join(str(folder), "python.toml")
    with open(path, "w") as file:
        file.write(f"[worker]\nenvironment = [{names}]\n{more}")
    return ["--config", path]


class AppWorker(Worker):
    """`taskhost -A APP worker`, as it is started beside the app: addresses and queues are the app's own."""

    def __init__(self, folder, app, workdir=APPS, options=(), environment=None, **how):
        self.own = ["-A", app, "--workdir", str(workdir), "worker", "-l", "debug", "--log-format", "json",
                    "--grace", "20", *options]
        super().__init__(str(folder), "", None, "", [], environment={"VIRTUAL_ENV": sys.prefix, **(environment or {})},
                         **how)

    def start(self, wait=True):
        self.words = [settings.taskhost(), *self.own]
        super().start(wait)


def noting(road, queue, notes):
    """The environment of an app that writes what happens to it into the file `notes`, a line of JSON each."""
    return {"APP_BROKER": road.broker, "APP_BACKEND": road.backend, "APP_QUEUE": queue, "APP_NOTES": str(notes)}


def noted(notes):
    return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
