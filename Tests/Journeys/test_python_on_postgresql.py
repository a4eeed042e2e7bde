"""Python's own Celery on PostgreSQL as broker, by `pip install` of clients/python; results by Celery's own backend."""
import json
import subprocess
import sys

import pytest
from lab import python as app_lab
from lab import settings
from lab.file_client import FileClient
from lab.wait import until
from lab.worker import clean_environment
from servers.postgresql import PostgreSQL

@pytest.fixture
def python(installed, database, tmp_path):
    return FileClient(installed, database.broker, tmp_path)


@pytest.mark.parametrize("prefix", ["", "taskhost+"])
def test_a_stock_client_sends_and_gets_by_pip_install_alone(python, database, start_worker, prefix):
    start_worker(database, "celery", slots=4)
    told = python.run("""
tell(app.send_task("tasks.add", (4, 6)).get(timeout=30))
try:
    app.send_task("tasks.fail").get(timeout=30)
except ValueError as error:
    tell(str(error))
tell(chain(task("tasks.add", (1, 2)), task("tasks.add", (3,)))().get(timeout=30))
tell(chord([task("tasks.add", (n, 1)) for n in range(3)], task("tasks.sum"))().get(timeout=30))
""", address=prefix + python.address)
    assert told == [10.0, "this task always fails", 6, 6]


def test_priorities_and_etas_are_columns_of_the_message(python, database, start_worker, note):
    start_worker(database, "other")
    told = python.run("""
one = app.send_task("journey.mark", WORDS + ["late"], queue="low", countdown=3600, priority=7)
two = app.send_task("journey.mark", WORDS + ["soon"], queue="low", countdown=5)
tell([one.id, two.id])
with app.connection_for_read() as connection:
    channel = connection.default_channel
    tell(channel._size("low"))
""", note)
    rows = database.sql("SELECT name, state, priority, due > now() + interval '50 minutes' FROM taskhost.message "
                        "WHERE queue = 'low' ORDER BY id").splitlines()
    assert rows == [f"{told[0][0]}|1|7|t", f"{told[0][1]}|0|0|f"] and told[1] == 2
    assert python.run('tell(app.control.purge())', address=python.address) == [0]


def test_the_celery_command_inspects_and_revokes(python, database, start_worker, installed, tmp_path, queue):
    node = f"pg-{queue}@test"
    start_worker(database, "celery", options=["-n", node])
    status, said = python.celery("inspect", "--json", "-d", node, "-t", "10", "ping")
    assert status == 0 and json.loads(said) == {node: {"ok": "pong"}}
    # Longer than NOTIFY carries, in the reply and in the order.
    status, said = python.celery("inspect", "--json", "-d", node, "-t", "10", "registered")
    assert status == 0 and "tasks.add" in json.loads(said)[node]
    status, said = python.celery("inspect", "--json", "-d", node, "-t", "10", "conf")
    assert status == 0 and json.loads(said)[node]["broker_url"].startswith("postgresql://")
    ids = [f"{number:040d}" for number in range(400)]
    assert python.run(f"app.control.revoke({ids!r}); tell(1)") == [1]
    until("the long order to arrive", lambda: ids[-1] in python.run(
        f'tell(app.control.inspect(["{node}"], timeout=10).revoked())')[0][node])


def test_what_cannot_be_used_is_named_with_its_fix(python, database):
    quick = ("app.conf.update(task_publish_retry=False, result_backend=None, "
             "broker_connection_timeout=1)\n")
    send = quick + 'app.send_task("tasks.add", (1, 2))'
    assert "Start a taskhost worker on it once" in python.failure(send)
    database.sql("CREATE SCHEMA taskhost; CREATE TABLE taskhost.layout AS SELECT 99 AS version")
    assert "Install the taskhost-client that came with the newer taskhost" in python.failure(send)
    database.sql("UPDATE taskhost.layout SET version = 1; CREATE TABLE taskhost.message(queue text, state int, priority int, "
                 "due timestamptz, name text, root text, properties text, headers text, body bytea)")
    database.sql(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    assert "PostgreSQL cannot be used at the moment: cannot execute" in python.failure(send)
    said = python.failure(send, address="postgresql://nobody@127.0.0.1:1/none")
    assert "PostgreSQL cannot be used at the moment" in said


def test_a_python_worker_is_refused(python, database, taskhost):
    taskhost("purge", "celery", "-b", database.broker, "--force").expect(0)
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-b", python.address, "worker", "--pool", "solo"], env=python.environment,
        cwd=python.folder, capture_output=True, text=True, timeout=90)
    assert done.returncode != 0 and "Python takes no messages from the PostgreSQL broker" in done.stdout + done.stderr


def test_a_client_goes_on_after_a_restart_of_the_server(installed, start_worker, tmp_path, taskhost):
    server = PostgreSQL(str(tmp_path), settings.server("TLS_DIR"))
    server.start()
    server.wait_until_ready()
    try:
        taskhost("purge", "celery", "-b", server.url(), "--force").expect(0)
        client = FileClient(installed, server.url(), tmp_path)
        program = client.start("""
app.send_task("tasks.add", (1, 2)); tell("first")
sys.stdin = open(0); os.system(WORDS[0])
app.send_task("tasks.add", (3, 4)); tell("second")
""", f"until [ -e {tmp_path}/again ]; do sleep 0.1; done")
        assert json.loads(program.stdout.readline()) == "first"
        server.kill()
        server.start()
        server.wait_until_ready()
        (tmp_path / "again").touch()
        out, err = program.communicate(timeout=60)
        assert program.returncode == 0 and json.loads(out) == "second", out + err
        assert server.sql("SELECT count(*) FROM taskhost.message") == "2"
    finally:
        server.close()


def test_what_forked_processes_send_is_there_once_each(python, database, taskhost):
    taskhost("purge", "celery", "-b", database.broker, "--force").expect(0)
    python.run("""
for number in range(20):
    app.send_task("tasks.add", (number, 1))
    children = []
    for child in range(4):
        process = os.fork()
        if not process:
            app.send_task("tasks.add", (number, child))
            os._exit(0)
        children.append(process)
    app.send_task("tasks.add", (number, 2))
    assert all(os.waitpid(one, 0)[1] == 0 for one in children)
tell(1)
""")
    assert database.sql("SELECT count(*), count(DISTINCT name) FROM taskhost.message") == "120|120"


def test_an_address_that_cannot_be_used_never_shows_its_password(python):
    send = """
app.conf.update(task_publish_retry=False, result_backend=None, broker_connection_timeout=1)
app.send_task("tasks.add", (1, 2))
"""
    for secret in ("S3%zzXYZ", "S3cr@tXYZ", "S3/crXYZ", "S3#?XYZ"):
        program = python.start(send, address=f"postgresql://nobody:{secret}@127.0.0.1:1/none")
        out, err = program.communicate(timeout=60)
        assert program.returncode != 0 and "XYZ" not in out + err, out + err


APP = """
import os, time
from celery import Celery
app = Celery("changing", broker="memory://")
@app.task(name="changing.a")
def a(): return "a"
{more}
@app.task(name="changing.c")
def c(note, gate):
    with open(note, "a") as file: file.write("begun\\n")
    while not os.path.exists(gate): time.sleep(0.05)
    return "c"
"""
MORE = """
@app.task(name="changing.b")
def b(*args): return "another task than the one that was sent"
"""


def test_a_task_taken_over_is_the_one_that_was_sent_though_its_app_has_changed_on_disk(database, taskhost, note, gate,
                                                                                      tmp_path):
    (tmp_path / "changing.py").write_text(APP.format(more=""))
    place = ["-b", database.broker, "--result-backend", database.broker, "-c", "1"]
    workers = []
    try:
        workers.append(app_lab.AppWorker(tmp_path / "one", "changing", workdir=tmp_path, options=place))
        sent = database.sql(f"""SELECT taskhost.send('changing.c', '["{note}", "{gate.path}"]')""")
        until("the task to run", lambda: note.lines == ["begun"])
        workers.append(app_lab.AppWorker(tmp_path / "two", "changing", workdir=tmp_path,
                                         options=[*place, "-n", "two@test"]))
        (tmp_path / "changing.py").write_text(APP.format(more=MORE))
        workers.pop(0).kill()
        gate.open()
        # Half a minute is the lease; nobody waits for it here.
        database.sql("UPDATE taskhost.host SET lease_until = '-infinity' WHERE id = "
                     "(SELECT host FROM taskhost.message WHERE state = 2)")
        told = taskhost("result", sent, "-b", database.broker, "--wait=60", "--json").expect(0)
        assert told.json["result"] == "c"
    finally:
        for one in workers:
            one.close()
