"""Results in MariaDB: what only it does. What all databases do is in test_sql_results.py."""
import os
import signal

import celery
import pytest
from lab import databases, settings
from lab.wait import until


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    one = databases.OnMariaDB(str(tmp_path_factory.mktemp("mariadb")), settings.server("TLS_DIR"))
    one.server.start()
    one.server.wait_until_ready()
    yield one
    one.server.close()


@pytest.fixture
def road(place):
    one = databases.Road(place)
    yield one
    one.app.close()


def log(worker):
    with open(worker.log_path) as file:
        return file.read()


def test_a_server_that_stands_still_is_waited_for(road, start_worker, queue):
    worker = start_worker(road, queue)
    assert road.send("tasks.add", 1, 2, queue=queue).get(timeout=20) == 3
    pid = road.place.server.process.popen.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        sent = [road.send("tasks.add", number, 1, queue=queue) for number in range(20)]
        until("the silence to be told", lambda: "no answer for 15 s" in log(worker), 60)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [one.get(timeout=40) for one in sent] == [number + 1 for number in range(20)]


def test_a_server_that_takes_no_writes_is_waited_for_and_doctor_names_it(place, start_worker, queue, taskhost):
    # Who administrates the server may write all the same.
    place.server.sql("CREATE USER plain@'%'")
    road = databases.Road(place, "plain")
    place.server.sql(f"GRANT ALL ON {road.database}.* TO plain@'%'")
    worker = start_worker(road, queue)
    assert road.send("tasks.add", 1, 2, queue=queue).get(timeout=20) == 3
    place.server.sql("SET GLOBAL read_only = 1")
    try:
        sent = road.send("tasks.add", 2, 2, queue=queue)
        until("the reason to be told", lambda: "takes no writes" in log(worker), 60)
        said = taskhost("doctor", "-b", road.broker, "--result-backend", road.backend)
        assert "takes no writes" in said.out
    finally:
        place.server.sql("SET GLOBAL read_only = 0")
    assert sent.get(timeout=40) == 4
    road.app.close()


def test_a_result_too_long_for_celerys_column_fails_its_task_and_doctor_names_the_column(
        road, start_worker, queue, taskhost):
    assert road.app.backend.get_state("x") == "PENDING"  # makes Celery's tables
    said = taskhost("doctor", "-b", road.broker, "--result-backend", road.backend)
    assert "MODIFY `result` LONGBLOB" in said.out
    start_worker(road, queue)
    long = road.send("journey.echo", "x" * 70_000, queue=queue)
    with pytest.raises(Exception) as caught:
        long.get(timeout=20)
    assert "BackendStoreError" in type(caught.value).__name__ + str(caught.value)
    assert "LONGBLOB" in str(caught.value)
    road.sql("ALTER TABLE `celery_taskmeta` MODIFY `result` LONGBLOB")
    assert road.send("journey.echo", "x" * 70_000, queue=queue).get(timeout=20) == "x" * 70_000


def test_a_group_is_kept_beside_a_celery_client_that_stores(road, start_worker, queue):
    start_worker(road, queue)
    group = celery.group(road.app.signature("tasks.add", (n, 1), queue=queue) for n in range(300))()
    for number in range(100):
        road.app.backend.store_result(f"other-{number}", number, "SUCCESS")
    assert group.get(timeout=40) == [n + 1 for n in range(300)]
    assert road.app.AsyncResult("other-99").get(timeout=5) == 99
