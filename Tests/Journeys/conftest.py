"""Fixtures of the journeys: the built taskhost as a black box, real servers, a stock Celery client.

Run by `make test`; by hand: Tests/Support/with-servers "$(Tests/Support/venv)" -m pytest Tests/Journeys
"""
import importlib
import inspect
import os
import sys
import uuid

import pytest
from celery.utils.imports import load_extension_class_names

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Support"))
from lab import amqp, bundles, clients, command, file_client, postgresql, settings  # noqa: E402
from lab.worker import Worker  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# A folder in which runs that share the work say which files they have taken; scripts/test starts three.
SHARED = os.environ.get("TASKHOST_TEST_SHARED")
taken = {}
# The journeys that are on RabbitMQ go over PostgreSQL instead, and those that are about RabbitMQ are skipped: docs/testing.md.
OVER_POSTGRESQL = os.environ.get("TASKHOST_TEST_BROKER") == "postgresql"


def takes(path):
    """True if this run is the one that runs the tests of the file `path`."""
    if path not in taken:
        try:
            os.mkdir(os.path.join(SHARED, os.path.basename(path)))
            taken[path] = True
        except FileExistsError:
            taken[path] = False
    return taken[path]


def pytest_collection_modifyitems(items):
    if SHARED:
        # The long files first, so that both runs end at about the same time.
        items.sort(key=lambda item: -item.path.stat().st_size)


def pytest_runtest_protocol(item, nextitem):
    """Tests of a file that the other run has taken are passed over: neither run nor reported here."""
    return True if SHARED and not takes(str(item.path)) else None


@pytest.fixture(scope="session")
def journey(tmp_path_factory):
    """The journeys' own bundle."""
    folder = tmp_path_factory.mktemp("bundles")
    return bundles.build_c(os.path.join(HERE, "bundles", "journey.c"), folder, ['JOURNEY_VERSION="1.0"'])


@pytest.fixture(scope="session")
def softly(tmp_path_factory):
    """A Swift bundle, built with a single swiftc call from the installed library."""
    return bundles.build_swift(os.path.join(HERE, "bundles", "softly.swift"), tmp_path_factory.mktemp("swift"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Where pip has installed clients/python."""
    return file_client.install(tmp_path_factory.mktemp("installed"))


def example(name):
    """One of the example bundles."""
    return settings.dist("plugins", name + ".so")


@pytest.fixture(autouse=True)
def run_folder(tmp_path, monkeypatch):
    """Where hosts put their sockets and `--local` looks: the test's own, so that nobody else's worker is told anything."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("TASKHOST_RUNTIME_DIR", str(folder / "taskhost"))
    return folder


@pytest.fixture(autouse=True)
def own_connections():
    """No test gets a connection that another one's client has used."""
    yield
    clients.close_pools()


@pytest.fixture
def queues():
    one = amqp.Queues()
    yield one
    one.close()


@pytest.fixture
def queue(queues):
    return queues.new()


class Transport:
    """A broker and a result backend, and a client for both."""

    def __init__(self, backend):
        self.broker = settings.server("AMQP_URL")
        self.backend = {"redis": settings.server("REDIS_URL"), "rpc": "rpc://"}[backend]
        self.app = clients.app(self.broker, self.backend)

    def send(self, name, *args, queue, **options):
        return self.app.send_task(name, args, queue=queue, **options)


class OnRedis(Transport):
    """Redis as broker and as result backend."""

    def __init__(self):
        self.broker = self.backend = settings.server("REDIS_URL")
        self.app = clients.app(self.broker, self.backend)


class OnPostgreSQL(Transport):
    """A database as broker, by the transport of clients/python, and for results, by Celery's own backend."""

    # Where Celery's clients send the chord_unlock of a chord whose body is a chain.
    also_served = ",celery"

    def __init__(self, database):
        self.broker = self.backend = database.broker
        self.app = clients.app(self.broker, self.backend)


@pytest.fixture(params=["rabbitmq", "redis", "postgresql"])
def road(request):
    """Results in Redis, and the broker is RabbitMQ or the same Redis; or both in PostgreSQL."""
    if request.param == "postgresql":
        one = on_postgresql(request)
    else:
        one = OnRedis() if request.param == "redis" else Transport("redis")
    yield one
    one.app.close()


@pytest.fixture(params=["postgresql"] if OVER_POSTGRESQL else ["redis", "rpc"])
def transport(request):
    one = made(request.param, request)
    yield one
    one.app.close()


@pytest.fixture
def redis_transport(request):
    """RabbitMQ, and results in Redis."""
    one = made("postgresql" if OVER_POSTGRESQL else "redis", request)
    yield one
    one.app.close()


def made(backend, request):
    if backend != "postgresql":
        return Transport(backend)
    other = request.node.get_closest_marker("not_postgresql")
    if other or "queues" in inspect.signature(request.function).parameters:
        pytest.skip(other.args[0] if other else "it looks into RabbitMQ's queues")
    return on_postgresql(request)


def on_postgresql(request):
    request.getfixturevalue("reaching_postgresql")
    return OnPostgreSQL(request.getfixturevalue("database"))


@pytest.fixture(scope="session")
def reaching_postgresql(installed):
    """The package of clients/python, for this process and for those that it starts without a folder of their own."""
    sys.path.append(installed)
    importlib.import_module("taskhost_client.registration")
    # Celery looks for backends once in a process.
    load_extension_class_names.cache_clear()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), installed]))


@pytest.fixture
def start_worker(tmp_path, journey):
    """start_worker(transport, "queues", slots=2, …): a worker with the arithmetic and the journey bundle."""
    started = []

    def start(transport, queues, plugins=None, **how):
        chosen = [example("arithmetic"), journey] if plugins is None else plugins
        queues += getattr(transport, "also_served", "")
        one = Worker(str(tmp_path / f"worker-{len(started)}"), transport.broker, transport.backend, queues, chosen,
                     **how)
        started.append(one)
        return one

    yield start
    problems = []
    for one in started:
        try:
            one.close()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def taskhost(tmp_path):
    """taskhost("call", …): the command line, run to its end."""
    return lambda *words, **how: command.run(tmp_path, *words, **how)


class Embedded:
    """The embedded broker in a file of the test's own; its client is the command line."""

    def __init__(self, folder, taskhost):
        self.broker = self.backend = f"sqlite://{folder}/taskhost.db"
        self.taskhost = taskhost

    def call(self, name, *args, queue, wait=None, options=()):
        words = ["call", name, *args, "-b", self.broker, "--queue", queue, "--json", *options]
        if wait is not None:
            words.append(f"--wait={wait}")
        return self.taskhost(*words)

    def result(self, task_id, wait=15):
        return self.taskhost("result", task_id, "-b", self.broker, f"--wait={wait}", "--json").json


@pytest.fixture
def embedded(tmp_path, taskhost):
    return Embedded(tmp_path, taskhost)


@pytest.fixture
def database():
    """PostgreSQL as broker and for results: a database of the test's own."""
    one = postgresql.Database()
    yield one
    one.close()


@pytest.fixture
def note(tmp_path):
    """A file tasks append lines to."""
    return Note(tmp_path / f"note-{uuid.uuid4().hex[:6]}")


class Note:
    def __init__(self, path):
        self.path = str(path)

    def __str__(self):
        return self.path

    @property
    def lines(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path) as file:
            return file.read().splitlines()


@pytest.fixture
def gate(tmp_path):
    """A file whose coming lets waiting tasks go on."""
    return Gate(tmp_path / f"gate-{uuid.uuid4().hex[:6]}")


class Gate:
    def __init__(self, path):
        self.path = str(path)

    def open(self):
        with open(self.path, "w"):
            pass
