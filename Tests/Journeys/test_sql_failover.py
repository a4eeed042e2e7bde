"""PostgreSQL as broker and for results fails over to its standby, under a worker that has tasks in flight."""
import pytest
from lab import settings
from lab.wait import until
from servers.postgresql import PostgreSQL
from servers.standby import Standby


@pytest.fixture
def pair(tmp_path):
    primary = PostgreSQL(str(tmp_path), settings.server("TLS_DIR"))
    primary.start()
    primary.wait_until_ready()
    standby = Standby(primary, str(tmp_path))
    standby.start()
    standby.wait_until_ready()
    standby.follow()
    yield primary, standby
    standby.close()
    primary.close()


class Both:
    """The address names both servers; who writes needs the primary."""

    def __init__(self, primary, standby):
        self.broker = self.backend = (f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres"
                                      "?target_session_attrs=read-write&connect_timeout=5")


def test_nothing_is_lost_when_the_standby_takes_over(pair, start_worker, taskhost, note, gate):
    primary, standby = pair
    place = Both(primary, standby)
    worker = start_worker(place, "normal", slots=2)
    gated = f"""SELECT taskhost.send('journey.gate', '["{note}", "held", "{gate.path}"]', queue => 'normal')"""
    held = primary.sql(gated)
    until("the task to run", lambda: note.lines == ["held"])
    # Confirmed by the primary, and so known to the standby.
    waiting = primary.sql("SELECT taskhost.send('tasks.add', jsonb_build_array(number, 1), queue => 'normal') "
                          "FROM generate_series(1, 20) AS number").split()
    primary.kill()
    until("the worker to notice", lambda: worker.said("PostgreSQL") or worker.said("postgresql"))
    gate.open()
    standby.promote()
    for number, task_id in enumerate(waiting, 1):
        told = taskhost("result", task_id, "-b", place.broker, "--wait=60", "--json").expect(0)
        assert told.json["result"] == number + 1
    assert taskhost("result", held, "-b", place.broker, "--wait=60", "--json").expect(0).json["result"] == "held"
    later = standby.sql("SELECT taskhost.send('tasks.add', '[1, 2]', queue => 'normal')")
    assert taskhost("result", later, "-b", place.broker, "--wait=30", "--json").expect(0).json["result"] == 3
    until("all to be settled", lambda: standby.sql("SELECT count(*) FROM taskhost.message") == "0")
    # Its lease was not over: nobody has started it a second time.
    assert [line for line in note.lines if "done" not in line] == ["held"]
