"""The users' Celery tutorial (Tests/Journeys/tutorial): its code, as it stands in the document.

A block is named by the beginning of its heading and by the bold line above it (`tasks.py`, `Chain - Secuencia`), if there
is one, else by its number under that heading.
"""
import json
import os
import re
import signal
import subprocess
import sys

from lab import settings
from lab.worker import Worker, clean_environment

DOCUMENT = os.path.join(settings.ROOT, "Tests", "Journeys", "tutorial", "tutorial.es.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


class Block:
    def __init__(self, heading, label, number, language, code):
        self.heading, self.label, self.number, self.language, self.code = heading, label, number, language, code

    def __repr__(self):
        return f"{self.heading}: {self.label or self.number}"


def read():
    """Every fenced block of the document, in its order."""
    with open(DOCUMENT) as file:
        text = file.read()
    found, heading, end, number = [], "", 0, 0
    for fence in FENCE.finditer(text):
        # Headings only outside of fences: comments of Python begin as they do.
        between = text[end:fence.start()]
        if headings := re.findall(r"^#+ (.*)$", between, re.M):
            heading, number = headings[-1], 0
            between = between.rpartition(heading)[2]
        labels = re.findall(r"^\*\*([^*]+):\*\*$", between, re.M)
        label = labels[-1].split(" (")[0] if labels else None
        found.append(Block(heading, label, number, fence[1], fence[2]))
        end, number = fence.end(), number + 1
    return found


def block(heading, which=0, language="python"):
    """The block under the heading that begins so: `which` is its label, or its number there."""
    [one] = [one for one in read() if one.heading.startswith(heading) and which in (one.label, one.number)
             and one.language == language]
    return one


def commands(heading, which=0):
    """The commands of a block of bash, each with its continued lines; comments are left out."""
    code = block(heading, which, "bash").code
    return [line for line in re.split(r"(?<!\\)\n", code) if line and not line.startswith("#")]


# What stands for the servers in the document; nothing else of its code is another in the tests but CORRECTIONS.
BROKER, RESULTS, PAGES = "redis://localhost:6379/0", "redis://localhost:6379/1", "https://api.ejemplo.com"
API, API_AS_RUN = "http://localhost:5000", "app.run(debug=True)"

# What is wrong in the document, with Celery's own worker, too: (heading, label, what is printed, what must stand there).
CORRECTIONS = [
    # ModuleNotFoundError: the folder is no package within itself. From its parent the tasks would be called
    # mi_proyecto.tasks.sumar, and what main.py sends, tasks.sumar, is NotRegistered.
    ("Configuración mínima", "celery_app.py", "app.autodiscover_tasks(['mi_proyecto'])", "app.conf.imports = ['tasks']"),
    # NotRegistered: `-A celery_app` imports no tasks.
    ("Ejemplo 3", "celery_app.py", "'periodic_tasks',", "'periodic_tasks', include=['tasks'],"),
    ("Ejemplo 4", "celery_app.py", "'rate_limited',", "'rate_limited', include=['tasks'],"),
    # The one of Celery is no TimeoutError of Python's.
    ("2. AsyncResult", 0, "from tasks import", "from celery.exceptions import TimeoutError\nfrom tasks import"),
]
# What the document uses and does not have: ImportError or NameError without.
MISSING = {
    ("Configuración mínima", "tasks.py"): """
@app.task
def multiplicar(x, y):
    return x * y

@app.task
def sumar_lista(numeros):
    return sum(numeros)
""",
}


def corrected(heading, which):
    """The code of a block of Python, with what the document needs to run at all."""
    code = block(heading, which).code
    for where, label, printed, needed in CORRECTIONS:
        if (where, label) == (heading, which):
            assert code.count(printed) == 1, (heading, printed)
            code = code.replace(printed, needed)
    return code + MISSING.get((heading, which), "")


class Project:
    """A folder with programs of the document, whose addresses are those of the test's servers."""

    def __init__(self, folder, broker, results, **places):
        self.folder = str(folder)
        os.makedirs(self.folder)
        self.places = {BROKER: broker, RESULTS: results, **places}
        programs = os.path.dirname(sys.executable)
        self.environment = {
            **clean_environment(self.folder), "VIRTUAL_ENV": sys.prefix, "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.pathsep.join([os.path.dirname(settings.taskhost()), programs, os.environ["PATH"]])}
        self.started, self.programs, self.clients = [], {}, {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, heading, which=None, before="", after=""):
        """Writes a program of the document, between lines of the test's own."""
        self.write(name, before + corrected(heading, name if which is None else which) + after)

    def write(self, name, code):
        for written, here in self.places.items():
            code = code.replace(written, here)
        with open(self.path(name), "w") as file:
            file.write(code)

    def worker(self, command, **environment):
        """`taskhost` in place of `celery` in a command of the document, word for word; not ready yet."""
        one = CommandWorker(self, f"worker-{len(self.started)}", command, environment)
        self.started.append(one)
        return one

    def workers(self):
        return [one for one in self.started if isinstance(one, CommandWorker)]

    def ready(self):
        for one in self.workers():
            one.wait_until_ready()

    def start(self, *words, name=None, **environment):
        """A program, under way, whose output goes to a file."""
        one = Program(self, words, name or os.path.basename(words[-1]), environment)
        self.started.append(one)
        return one

    def run(self, *names):
        self.programs |= {name: self.start("python", f"{name}.py") for name in names}

    def python(self, source):
        """What a few lines of Python tell, by `tell(value)`."""
        return self.client(source).told()

    def client(self, source):
        """Such lines, under way."""
        source = "import json\ntell = lambda value: print(json.dumps(value), flush=True)\n" + source
        return self.start("python", "-c", source, name=f"client-{len(self.started)}")

    def close(self):
        problems = []
        for one in reversed(self.started):
            try:
                one.close()
            except AssertionError as problem:
                problems.append(str(problem))
        assert not problems, "\n".join(problems)


class CommandWorker(Worker):
    def __init__(self, project, name, command, environment):
        self.command = f"cd '{project.folder}' && exec {command.replace('celery', 'taskhost', 1)}"
        super().__init__(project.path(name), "", None, "", [], environment={
            **project.environment, "TASKHOST_RUNTIME_DIR": project.path(name + "-run"), **environment}, wait=False)

    def start(self, wait=True):
        self.words = ["bash", "-c", self.command]
        super().start(wait)

    def wait_until_ready(self, seconds=30.0):
        if " beat" in self.command:
            self.wait_for("beat to lead", lambda: self.events("beat-leading"), seconds)
        else:
            super().wait_until_ready(seconds)


class Program:
    def __init__(self, project, words, name, environment):
        self.out, self.errors = project.path(name + ".out"), project.path(name + ".errors")
        with open(self.out, "w") as out, open(self.errors, "w") as errors:
            self.process = subprocess.Popen(words, cwd=project.folder, env={**project.environment, **environment},
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True)

    def printed(self, errors=False):
        with open(self.errors if errors else self.out) as file:
            return file.read()

    def finish(self, seconds=30):
        """The lines it has printed at its end, which must be a good one."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = "it does not end"
        assert status == 0, f"{status}\n{self.printed()}\n{self.printed(errors=True)}"
        return self.printed().splitlines()

    def told(self, seconds=40):
        return [json.loads(line) for line in self.finish(seconds)]

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
