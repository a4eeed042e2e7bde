"""Results in PostgreSQL and in MariaDB, with stock Celery clients on the same tables."""
import pickle

import celery
import pytest
from lab import databases, settings
from lab.wait import until


@pytest.fixture(scope="module", params=databases.ALL)
def place(request, tmp_path_factory):
    """A server of these tests' own."""
    one = request.param(str(tmp_path_factory.mktemp("database")), settings.server("TLS_DIR"))
    one.server.start()
    one.server.wait_until_ready()
    yield one
    one.server.close()


@pytest.fixture
def road(place):
    one = databases.Road(place, result_extended=True)
    yield one
    one.app.close()


def test_a_stock_client_gets_what_workers_store(road, start_worker, queue, tmp_path):
    (tmp_path / "extended.toml").write_text("[results]\nextended = true\n")
    start_worker(road, queue, options=["--config", str(tmp_path / "extended.toml")])
    plain = road.send("tasks.add", 4, 6, queue=queue)
    assert plain.get(timeout=20) == 10
    assert (plain.name, plain.args, plain.retries, plain.queue) == ("tasks.add", [4, 6], 0, queue)
    assert plain.worker.startswith("celery@") and plain.date_done is not None
    failed = road.send("tasks.fail", "no good", queue=queue)
    with pytest.raises(ValueError, match="no good"):
        failed.get(timeout=20)
    assert "no good" in failed.traceback
    plain.forget()
    assert road.sql(f"SELECT count(*) FROM celery_taskmeta WHERE task_id = '{plain.id}'") == "0"


def test_chains_groups_and_chords_of_a_stock_client(road, start_worker, queue):
    start_worker(road, queue)
    sign = road.app.signature

    def add(*args):
        return sign("tasks.add", args, queue=queue)

    assert (add(1, 2) | add(3) | add(4))().get(timeout=20) == 10
    group = celery.group(add(1, 1), add(2, 2))()
    assert group.get(timeout=20) == [2, 4]
    group.save()
    again = celery.result.GroupResult.restore(group.id, app=road.app)
    assert again.get(timeout=20) == [2, 4]
    # The client sends the chord_unlock.
    body = sign("tasks.sum", queue=queue)
    assert celery.chord([add(1, 1), add(2, 2), add(3, 3)], body)().get(timeout=30) == 12
    failing = celery.chord([add(1, 1), sign("tasks.fail", ("no",), queue=queue)], body)()
    until("the body to fail", lambda: failing.state == "FAILURE")
    assert isinstance(failing.result, celery.exceptions.ChordError) and "no" in str(failing.result)


def test_a_chord_within_a_chain_is_joined_though_the_store_counts_nothing(road, start_worker, queue):
    start_worker(road, queue)
    sign = road.app.signature
    header = celery.group(sign("tasks.add", (1,), queue=queue), sign("tasks.add", (2,), queue=queue))
    # The worker that runs the first step sends the header and the chord_unlock.
    canvas = sign("tasks.add", (4, 6), queue=queue) | header | sign("tasks.sum", queue=queue)
    result = canvas()
    assert result.get(timeout=30) == 23
    assert road.app.AsyncResult(result.id).get(timeout=5) == 23


def test_what_is_old_goes_and_what_never_ended_stays(road, start_worker, queue, tmp_path):
    (tmp_path / "brief.toml").write_text("[results]\nexpires = 3600\n")
    assert road.app.backend.get_state("x") == "PENDING"  # makes the tables
    number = road.place.next_number
    road.sql("INSERT INTO celery_taskmeta(id, task_id, status, date_done) VALUES "
             f"({number}, 'old', 'SUCCESS', {road.place.minutes_ago(120)}),"
             f"({number}, 'new', 'SUCCESS', {road.place.minutes_ago(30)}),"
             f"({number}, 'never', 'STARTED', NULL)")
    start_worker(road, queue, options=["--config", str(tmp_path / "brief.toml")])
    road.send("tasks.add", 1, 2, queue=queue).get(timeout=20)
    left = until("the old one to be gone", lambda: "old" not in (
        rows := road.sql("SELECT task_id FROM celery_taskmeta").split()) and rows, 60)
    assert "new" in left and "never" in left


def test_the_server_is_killed_and_comes_back(road, start_worker, queue):
    start_worker(road, queue)
    assert road.send("tasks.add", 1, 2, queue=queue).get(timeout=20) == 3
    road.place.server.kill()
    sent = [road.send("tasks.add", number, 1, queue=queue) for number in range(40)]
    road.place.server.start()
    road.place.server.wait_until_ready()
    assert [one.get(timeout=40) for one in sent] == [number + 1 for number in range(40)]


def test_a_server_that_refuses_logins_is_waited_for(place, start_worker, queue):
    place.make_user("secret", "right")
    road = databases.Road(place, "secret", "wrong")
    worker = start_worker(road, queue, wait=False)
    sent = road.send("tasks.add", 1, 2, queue=queue)
    until("the refusal to be told", lambda: place.refusal in open(worker.log_path).read())
    assert "secret:wrong" not in open(worker.log_path).read()
    place.set_password("secret", "wrong")
    assert sent.get(timeout=40) == 3
    road.app.close()


def test_for_old_clients_results_are_pickles_of_plain_values(place, road, start_worker, queue, tmp_path, taskhost):
    (tmp_path / "old.toml").write_text("[results]\nreaders = \"5.6\"\n")
    start_worker(road, queue, options=["--config", str(tmp_path / "old.toml")])
    sent = road.send("tasks.add", 4, 6, queue=queue)
    assert sent.get(timeout=20) == 10  # 5.7 reads both
    stored = bytes.fromhex(road.sql(f"SELECT {place.hex('result')} FROM celery_taskmeta WHERE task_id = '{sent.id}'"))
    assert pickle.loads(stored) == 10
    said = taskhost("doctor", "-b", road.broker, "--result-backend", road.backend)
    assert "pickles" in said.out and "results.readers" in said.out


def test_the_command_line_waits_for_results_and_looks_at_the_server(place, road, start_worker, queue, taskhost):
    start_worker(road, queue)
    words = ["-b", road.broker, "--result-backend", road.backend]
    done = taskhost("call", "tasks.add", 4, 6, *words, "--queue", queue, "--json", "--wait=20")
    assert done.json["result"] == 10
    said = taskhost("doctor", *words)
    assert place.version in said.out
