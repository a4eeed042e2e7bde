"""Python's own Celery on the embedded broker, by `pip install` of clients/python alone."""
import contextlib
import json
import os
import sqlite3
import threading

import pytest
from lab.file_client import FileClient
from lab.wait import until


@pytest.fixture
def python(installed, embedded, tmp_path):
    return FileClient(installed, embedded.broker, tmp_path)


@pytest.fixture
def worker(embedded, start_worker):
    """A worker of the queue that Celery's clients send to by themselves."""
    return start_worker(embedded, "celery", slots=4)


@pytest.fixture
def database(tmp_path):
    """The file, for a look into it."""
    def rows(sql, *values):
        with contextlib.closing(sqlite3.connect(tmp_path / "taskhost.db", isolation_level=None)) as db:
            return db.execute(sql, values).fetchall()

    return rows


@pytest.mark.parametrize("prefix", ["", "taskhost+"])
def test_a_stock_client_sends_and_gets_by_pip_install_alone(python, worker, prefix):
    told = python.run("""
tell(app.send_task("tasks.add", (4, 6)).get(timeout=30))
@app.task(name="journey.keywords")
def keywords(a, b=5, c=7): ...
tell(keywords.delay(1).get(timeout=30))
tell(keywords.apply_async((1,), {"c": 2}, retry=False).get(timeout=30))
try:
    app.send_task("tasks.fail").get(timeout=30)
except ValueError as error:
    tell(str(error))
""", address=prefix + python.address)
    assert told == [10.0, 157, 152, "this task always fails"]


def test_chains_groups_and_chords_are_joined_by_taskhost(python, worker):
    told = python.run("""
add = lambda *words: task("tasks.add", words)
reflect = task("journey.reflect")
tell(chain(add(1, 2), add(3), add(4))().get(timeout=30))
tell(group(add(n, n) for n in range(700))().get(timeout=60))
flat = chord([add(n, 1) for n in range(5)], reflect)
tell(flat().get(timeout=30))
tell(chord([chain(add(1, 1), group(add(1), add(2))), add(3, 3)], reflect)().get(timeout=30))
tell(chain(add(1, 1), group(add(1), add(2)), reflect)().get(timeout=30))
frozen = chord([add(n, 1) for n in range(3)], reflect)
frozen.freeze()
tell([frozen.apply_async().get(timeout=30) for _ in range(2)])
try:
    chord([add(1, 2), task("tasks.fail")], task("journey.reflect"))().get(timeout=30)
except Exception as error:
    tell(type(error).__name__)
""")
    assert told[0] == 10
    assert told[1] == [2 * n for n in range(700)]
    assert told[2:5] == [[1, 2, 3, 4, 5], [[3, 4], 6], [3, 4]]
    assert told[5] == [[1, 2, 3], [1, 2, 3]]
    assert told[6] in ("ValueError", "ChordError")


def test_states_are_followed_and_results_forgotten(python, worker, gate, note):
    told = python.run("""
seen = []
result = app.send_task("journey.progress", (3, 0.1))
result.get(timeout=30, on_message=lambda meta: seen.append(meta["status"]))
tell([sorted(set(seen)), result.state])
result.forget()
tell(result.state)
kept = group(task("tasks.add", (n, n)) for n in range(3))()
kept.save()
again = app.GroupResult.restore(kept.id)
tell(again.get(timeout=30))
again.delete()
tell(app.GroupResult.restore(kept.id))
late = app.send_task("journey.gate", WORDS)
try:
    late.get(timeout=0.5)
except Exception as error:
    tell(type(error).__name__)
""", note, "late", gate.path)
    gate.open()
    assert told == [[["PROGRESS", "SUCCESS"], "SUCCESS"], "PENDING", [0, 2, 4], None, "TimeoutError"]


def test_priorities_countdowns_and_expiries_are_kept(embedded, python, start_worker, note, database):
    start_worker(embedded, "other").stop()
    python.run("""
mark = lambda word, **options: app.send_task("journey.mark", (WORDS[0], word), **options)
mark("low"), mark("high", priority=9), mark("highest", priority=255), mark("lower")
mark("expired", expires=0.001)
mark("in a while", countdown=3600)
""", note)
    # Due later than any worker holds it, so the file does.
    assert database("SELECT state, count(*) FROM message GROUP BY 1 ORDER BY 1") == [(0, 5), (1, 1)]
    start_worker(embedded, "celery", slots=1)
    until("the others to be settled", lambda: database("SELECT count(*) FROM message") == [(1,)])
    assert note.lines == ["highest", "high", "low", "lower"]


def test_a_priority_that_amqp_cannot_hold_is_refused(python, worker):
    assert "The priority 256 is no whole number between 0 and 255" in python.failure('app.send_task("tasks.add", priority=256)')


def test_headers_and_properties_are_what_taskhost_writes(python, worker, database):
    """A message that taskhost has written again, as it does with what it refuses, has the same columns."""
    sent = """
from datetime import datetime, timezone
headers = {"bytes": b"\\x00\\xff", "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "deep": [{"a": None}, 1.5],
           "text": "ñandú \\ud800", "marked": {"$bytes": "no bytes"}, "large": -2**63, "yes": True}
app.send_task("nobody.has_this", (WORDS[0],), queue=WORDS[1], headers=headers, priority=7, message_id="m", app_id="a")
"""
    row = "SELECT properties, headers FROM message WHERE queue = ? AND state = ?"
    python.run(sent, "kept", "nobody")
    [kept] = database(row, "nobody", 0)
    python.run(sent, "refused", "celery")
    [refused] = until("the dead letter", lambda: database(row, "celery", 3))
    ours, theirs = ([json.loads(column) for column in columns] for columns in (kept, refused))
    varying = {"id", "root_id", "argsrepr", "origin"}
    # Half a surrogate pair is no text.
    assert ours[1]["text"] == "ñandú \ufffd"
    for name in set(ours[1]) - varying:
        assert theirs[1][name] == ours[1][name], name
    assert ours[1]["bytes"] == {"$bytes": "AP8="} and ours[1]["time"] == {"$timestamp": "1767323045"}
    assert ours[1]["marked"] == {"$table": {"$bytes": "no bytes"}}
    for name in set(ours[0]) - {"correlation_id", "reply_to"}:
        assert theirs[0][name] == ours[0][name], name
    assert (ours[0]["priority"], ours[0]["message_id"], ours[0]["app_id"]) == (7, "m", "a")


def test_orders_and_their_replies_go_through_the_file(embedded, python, start_worker, gate, note):
    start_worker(embedded, "celery", options=["-n", "file@test"])
    told = python.run("""
# One that is named is not waited for longer than it takes to answer.
inspect = app.control.inspect(["file@test"], timeout=30)
[(node, reply)] = inspect.ping().items()
tell(reply)
tell("journey.gate" in inspect.registered()[node])
running = app.send_task("journey.gate", WORDS)
while not inspect.active()[node]: pass
running.revoke(terminate=True, signal="SIGKILL")
try:
    running.get(timeout=30)
except Exception as error:
    tell(type(error).__name__)
tell(app.control.rate_limit("tasks.add", "10/m", reply=True, destination=[node], timeout=30)[0][node])
""", note, "held", gate.path)
    assert told == [{"ok": "pong"}, True, "TaskRevokedError", {"ok": "new rate limit set successfully"}]
    status, said = python.celery("inspect", "-d", "file@test", "-t", "30", "ping")
    assert status == 0 and "pong" in said


def test_purge_and_the_length_of_a_queue(python, worker):
    told = python.run("""
for _ in range(3): app.send_task("tasks.add", queue="idle")
with app.connection_for_write() as connection:
    tell(connection.default_channel.queue_declare("idle", passive=True).message_count)
    tell(connection.default_channel.queue_purge("idle"))
tell(app.control.purge())
""")
    assert told == [3, 3, 0]


def test_a_client_that_is_there_first_is_told_to_start_taskhost(python, tmp_path):
    said = python.failure('app.send_task("tasks.add", (1, 2))')
    assert "is not there; taskhost makes it. Start taskhost on it once" in said
    assert not (tmp_path / "taskhost.db").exists()


@pytest.mark.parametrize("change, expected", [
    ("PRAGMA user_version = 99", "has layout 99, this taskhost-client knows 3. Install the taskhost-client that came with"),
    ("PRAGMA user_version = 2", "has the older layout 2. Start taskhost on it once"),
    ("PRAGMA application_id = 7", "is a database of another program. Name another file"),
])
def test_a_file_of_another_layout_is_refused_and_left_alone(python, worker, database, change, expected):
    worker.stop()
    database(change)
    assert expected in python.failure('app.send_task("tasks.add", (1, 2))')
    assert expected in python.failure('app.AsyncResult("a").state')
    [name, value] = change.removeprefix("PRAGMA ").split(" = ")
    assert database(f"PRAGMA {name}") == [(int(value),)]
    assert database("SELECT count(*) FROM message") == [(0,)]


@pytest.mark.parametrize("address, expected", [
    ("sqlite://tasks.db", "a file has no host part"),
    ("sqlite:///folder/", "it names no file"),
    ("sqlite:///x.db?journal=off", '"journal=off" is not understood'),
])
def test_an_address_that_taskhost_refuses_is_refused(python, address, expected):
    assert expected in python.failure('app.send_task("tasks.add", (1, 2))', address=address)


def test_what_the_file_cannot_do_is_said(python, worker):
    assert 'no exchange "elsewhere"' in python.failure(
        'app.send_task("tasks.add", exchange="elsewhere", routing_key="key")')
    status, said = python.celery("worker", "--pool", "solo", "--without-gossip", "--without-mingle")
    assert status != 0 and "Python takes no messages from the embedded broker" in said
    # Events have nobody who could hear them, and do no harm.
    assert python.run("""
app.conf.task_send_sent_event = True
tell(app.send_task("tasks.add", (1, 2)).get(timeout=30))
""") == [3.0]


def test_forked_processes_and_threads_send_and_get(python, worker):
    told = python.run("""
import multiprocessing, threading
def work(n): return app.send_task("tasks.add", (n, n)).get(timeout=60)
tell(work(1))
busy, stop = [], threading.Event()
def send():
    while not stop.is_set(): busy.append(work(2))
threads = [threading.Thread(target=send) for _ in range(3)]
for one in threads: one.start()
with multiprocessing.get_context("fork").Pool(4) as pool: tell(sum(pool.map(work, range(100))))
stop.set()
for one in threads: one.join()
tell(set(busy) == {4.0})
tell(work(3))
""")
    assert told == [2, 2 * sum(range(100)), True, 6]


def test_a_process_forked_behind_python_s_back_is_refused(python, worker):
    assert python.run("""
import ctypes
tell(app.send_task("tasks.add", (1, 1)).get(timeout=30))
child = ctypes.PyDLL(None).fork()
try:
    tell(app.send_task("tasks.add", (1, 1)).get(timeout=30))
except Exception as error:
    tell(str(error).split(" while ")[0])
if child == 0: os._exit(0)
os.waitpid(child, 0)
""") in ([2, 2, "This process was forked"], [2, "This process was forked", 2])


def test_a_client_that_sends_alone_keeps_the_log_small(embedded, python, start_worker, tmp_path):
    start_worker(embedded, "celery").stop()
    [size] = python.run("""
for n in range(1500): app.send_task("tasks.add", (n, "." * 2000))
tell(os.path.getsize(WORDS[0]))
""", tmp_path / "taskhost.db-wal", address=python.address + "?synchronous=normal")
    assert size < 12 << 20


def test_a_file_that_was_replaced_is_noticed(embedded, python, start_worker, tmp_path):
    first = start_worker(embedded, "celery")
    client = python.start("""
tell(app.send_task("tasks.add", (1, 1)).get(timeout=30))
while not os.path.exists(WORDS[0]): time.sleep(0.05)
try:
    app.AsyncResult("any").state
except Exception as error:
    tell(str(error))
tell(app.send_task("tasks.add", (2, 2)).get(timeout=30))
""", tmp_path / "go")
    assert client.stdout.readline() == "2.0\n"
    first.stop()
    for name in os.listdir(tmp_path):
        if name.startswith("taskhost.db"):
            os.remove(tmp_path / name)
    start_worker(embedded, "celery")
    (tmp_path / "go").touch()
    out, err = client.communicate(timeout=60)
    assert client.returncode == 0, err
    said, last = out.splitlines()
    assert "was removed or replaced while it was in use" in said and last == "4.0"


def test_what_a_killed_client_had_sent_is_done_and_keeps_nobody_out(python, worker, note):
    client = python.start("""
for n in range(100000):
    app.send_task("journey.mark", (WORDS[0], str(n)))
    tell(n)
""", note)
    sent = [client.stdout.readline().strip() for _ in range(100)]
    client.kill()
    sent += client.communicate(timeout=60)[0].split()
    assert python.run('tell(app.send_task("tasks.add", (1, 2)).get(timeout=60))') == [3.0]
    until("all that was sent to be done", lambda: set(sent) <= set(note.lines), 60)


def test_four_processes_send_beside_a_worker_that_is_killed(embedded, python, start_worker, note, database):
    """Nothing is lost, and nothing done more than once but what the killed worker had in hand."""
    first = start_worker(embedded, "celery", slots=4)
    senders = [python.start("""
sent = [app.send_task("journey.mark", (WORDS[0], f"{WORDS[1]}-{n}"), priority=n % 3) for n in range(500)]
tell([result.get(timeout=120) for result in sent] == [f"{WORDS[1]}-{n}" for n in range(500)])
""", note, name) for name in "abcd"]
    # Their pipes are read beside, so that none of them waits for us.
    ended = [threading.Thread(target=lambda one=one: one.outcome.append(one.communicate(timeout=180))) for one in senders]
    for one, reader in zip(senders, ended):
        one.outcome = []
        reader.start()
    until("a good part to be done", lambda: len(note.lines) > 300, 60)
    first.kill()
    start_worker(embedded, "celery", slots=4)
    for reader in ended:
        reader.join()
    for one in senders:
        assert one.returncode == 0 and one.outcome[0][0] == "true\n", one.outcome
    done = note.lines
    assert set(done) == {f"{name}-{n}" for name in "abcd" for n in range(500)}
    # Killed once: started once more at most.
    assert max(done.count(word) for word in set(done)) <= 2
    until("the queue to be empty", lambda: database("SELECT count(*) FROM message WHERE queue = 'celery'") == [(0,)])
