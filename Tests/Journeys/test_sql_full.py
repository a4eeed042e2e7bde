"""A database whose disk is full: results wait, and are stored once there is room. On a small file system of the test's own."""
import base64
import os
import pwd
import subprocess

import pytest
from lab import databases, settings
from lab.wait import until


@pytest.fixture
def small(tmp_path):
    """small(path, owner): a file system of 6 MiB there."""
    if os.geteuid() != 0:
        pytest.skip("only root makes a small file system")
    mounted = []

    def mount(path, owner):
        user = pwd.getpwnam(owner)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=6m,mode=700,uid={user.pw_uid},gid={user.pw_gid}", "tmpfs", path],
                       check=True)
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)


def grow(path):
    subprocess.run(["mount", "-o", "remount,size=64m", path], check=True)


@pytest.fixture
def full(tmp_path, small):
    """A road whose results lie in the small file system, and where that is."""
    place = databases.OnPostgreSQL(str(tmp_path), settings.server("TLS_DIR"))
    place.server.start()
    place.server.wait_until_ready()
    road = databases.Road(place)
    where = os.path.join(place.server.folder, "small")
    os.mkdir(where)
    small(where, "postgres")
    place.server.sql(f"CREATE TABLESPACE small LOCATION '{where}'")
    place.server.sql(f"ALTER DATABASE {road.database} SET default_tablespace = 'small'")
    yield road, where
    road.app.close()
    place.server.close()


def test_results_wait_for_room_and_are_all_stored(full, start_worker, queue):
    road, where = full
    worker = start_worker(road, queue, slots=1)
    # What is alike would be compressed.
    texts = [base64.b64encode(os.urandom(45_000)).decode() for _ in range(150)]
    sent = [road.send("journey.echo", text, queue=queue) for text in texts]
    until("the store to say why it takes nothing", lambda: worker.said("has no room on its disk"), 60)
    assert int(road.sql("SELECT count(*) FROM celery_taskmeta")) < len(texts)
    grow(where)
    assert [one.get(timeout=60) for one in sent] == texts
