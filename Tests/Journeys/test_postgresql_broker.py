"""PostgreSQL as broker and for results: tasks that are sent from SQL, by the command line and by tasks."""
import uuid

import pytest
from lab import clients, settings
from lab.postgresql import Database
from lab.wait import until
from servers.postgresql import PostgreSQL


@pytest.fixture
def ready(database, taskhost):
    """The database with the schema in it, as the first command or worker makes it."""
    taskhost("purge", "normal", "-b", database.broker, "--force").expect(0)
    return database


def result(taskhost, database, task_id, wait=20):
    return taskhost("result", task_id, "-b", database.broker, f"--wait={wait}", "--json").expect(0).json["result"]


def test_a_task_is_sent_with_the_transaction_that_makes_its_data(ready, start_worker, taskhost, note):
    start_worker(ready, "urgent,normal")
    ready.sql("CREATE TABLE orders(id int, task text)")
    ready.sql(f"""BEGIN; INSERT INTO orders SELECT 1, taskhost.send('journey.mark', '["{note}", "rolled back"]',
                  queue => 'urgent'); ROLLBACK""")
    sent = ready.sql(f"""INSERT INTO orders SELECT 2, taskhost.send('journey.mark', '["{note}", "committed"]',
                         queue => 'urgent') RETURNING task""")
    assert result(taskhost, ready, sent) == "committed"
    assert note.lines == ["committed"]
    assert ready.sql("SELECT id FROM orders") == "2"
    until("the message to be settled", lambda: ready.sql("SELECT count(*) FROM taskhost.message") == "0")


def test_a_stock_client_reads_the_result_of_what_sql_has_sent(ready, start_worker):
    start_worker(ready, "normal")
    task_id = ready.sql("SELECT taskhost.send('tasks.add', '[4, 6]', queue => 'normal')")
    stock = "db+" + ready.backend.replace("postgresql:", "postgresql+psycopg2:")
    with clients.app("memory://", stock) as app:
        assert app.AsyncResult(task_id).get(timeout=20) == 10
        assert app.AsyncResult(task_id).state == "SUCCESS"


def test_what_follows_a_task_and_what_crashes_goes_by_the_same_tables(ready, start_worker, taskhost):
    start_worker(ready, "normal", slots=1)
    task_id = ready.sql("SELECT taskhost.send('journey.speak_and_crash', '[\"last words\"]', queue => 'normal')")
    listing = lambda: taskhost("dead", "ls", "normal", "-b", ready.broker, "--json").expect(0).json_lines  # noqa: E731
    [letter] = until("the dead letter", listing)
    assert letter["id"] == task_id
    shown = taskhost("dead", "show", "normal", task_id, "-b", ready.broker).expect(0).out
    assert "SIGSEGV" in shown and "last words" in shown
    taskhost("dead", "drop", "normal", task_id, "-b", ready.broker, "--force").expect(0)
    assert listing() == []


def test_a_late_task_waits_in_the_table_and_an_urgent_one_comes_first(ready, start_worker, taskhost, note):
    def send(word, options):
        return ready.sql(f"SELECT taskhost.send('journey.mark', '[\"{note}\", \"{word}\"]', queue => 'normal', {options})")
    late = send("late", "countdown_s => 5")
    sent = [send(f"low {number}", "priority => 0") for number in range(3)]
    sent.append(send("high", "priority => 9"))
    start_worker(ready, "normal", slots=1)
    for one in [*sent, late]:
        result(taskhost, ready, one, wait=40)
    assert note.lines == ["high", "low 0", "low 1", "low 2", "late"]


def test_a_host_that_is_killed_is_taken_over_from(ready, start_worker, taskhost, note, gate):
    first = start_worker(ready, "normal", slots=1)
    task_id = ready.sql(f"SELECT taskhost.send('journey.gate', '[\"{note}\", \"once\", \"{gate.path}\"]', queue => 'normal')")
    until("the task to run", lambda: note.lines == ["once"])
    start_worker(ready, "normal", slots=1)
    first.kill()
    # Half a minute is the lease; nobody waits for it here.
    ready.sql("UPDATE taskhost.host SET lease_until = '-infinity' WHERE id = "
              "(SELECT host FROM taskhost.message WHERE state = 2)")
    until("the other host to start it again", lambda: note.lines == ["once", "once"], 60)
    gate.open()
    assert result(taskhost, ready, task_id) == "once"


@pytest.fixture
def own_server(tmp_path):
    one = PostgreSQL(str(tmp_path), settings.server("TLS_DIR"))
    one.start()
    one.wait_until_ready()
    yield one
    one.close()


class At:
    def __init__(self, server):
        self.broker = self.backend = server.url()


def test_what_runs_while_the_server_is_restarted_goes_on_and_is_settled_once(own_server, start_worker, taskhost, note,
                                                                             gate):
    place = At(own_server)
    worker = start_worker(place, "normal", slots=2)
    send = f"SELECT taskhost.send('journey.gate', '[\"{note}\", \"held\", \"{gate.path}\"]', queue => 'normal')"
    task_id = own_server.sql(send)
    until("the task to run", lambda: note.lines == ["held"])
    own_server.kill()
    until("the worker to notice", lambda: any("PostgreSQL" in line or "postgresql" in line
                                              for line in worker.tail(200).splitlines()))
    gate.open()
    own_server.start()
    own_server.wait_until_ready()
    assert result(taskhost, place, task_id, wait=60) == "held"
    later = own_server.sql("SELECT taskhost.send('tasks.add', '[1, 2]', queue => 'normal')")
    assert result(taskhost, place, later, wait=60) == 3
    until("all to be settled", lambda: own_server.sql("SELECT count(*) FROM taskhost.message") == "0")
    assert [line for line in note.lines if "done" not in line] == ["held"]


def test_doctor_and_a_worker_name_the_rights_that_are_missing(database, taskhost):
    user = f"u{uuid.uuid4().hex}"
    database.sql(f"CREATE ROLE {user} LOGIN")
    poor = database.broker.replace("postgres@", f"{user}@")
    try:
        told = taskhost("doctor", "-b", poor, "--result-backend", "none", "--json")
        [found] = [one for one in told.json["checks"] if (one["level"], one["subject"]) == ("fail", "broker")]
        assert "GRANT CREATE ON DATABASE" in found["fix"]
        refused = taskhost("call", "tasks.add", "1", "2", "-b", poor, "--result-backend", "none")
        assert refused.status != 0 and "GRANT CREATE ON DATABASE" in refused.err
    finally:
        database.sql(f"DROP ROLE {user}")


def test_two_databases_know_nothing_of_each_other(ready, taskhost, start_worker):
    other = Database()
    try:
        node = f"one-{uuid.uuid4().hex[:8]}@test"
        start_worker(ready, "normal", options=["-n", node])
        assert "pong" in taskhost("inspect", "ping", "-b", ready.broker, "-d", node, "-t", "10").expect(0).out
        assert "pong" not in taskhost("inspect", "ping", "-b", other.broker, "-d", node, "-t", "1").out
    finally:
        other.close()
