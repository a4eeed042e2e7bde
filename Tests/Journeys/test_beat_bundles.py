"""Schedules that bundles bring: sent by a worker with -B and by beat, changed and switched off by the operator."""
import json
import os

import pytest
from conftest import HERE
from lab import bundles
from lab.wait import until
from lab.worker import Worker

QUEUE = "periodic"


@pytest.fixture
def build(tmp_path):
    def make(name, **defines):
        folder = tmp_path / f"built-{name}-{len(defines)}"
        folder.mkdir()
        words = {"NAME": name, "QUEUE": QUEUE, **defines}
        built = bundles.build_c(os.path.join(HERE, "bundles", "periodic.c"), folder,
                                [f'{key}="{value}"' for key, value in words.items()])
        os.rename(built, folder / f"{name}.so")
        return str(folder / f"{name}.so")
    return make


@pytest.fixture
def settings_file(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("""
[schedules."files.unwanted"]
enabled = false

[schedules."files.nightly"]
cron = "15 4 * * mon"
args = [5]

[schedules.own]
task = "files.add"
every = 1
args = [7, 8]
queue = "periodic"
""")
    return str(path)


def test_a_worker_with_beat_sends_what_its_bundles_want_and_the_operator_lets(tmp_path, build, settings_file):
    worker = Worker(str(tmp_path / "worker"), f"sqlite://{tmp_path}/t.db", None, QUEUE, [build("files")],
                    options=("-B", "--config", settings_file))
    try:
        def sent():
            return {line["schedule"] for line in worker.events("beat-sent")}

        worker.wait_for("both to be sent", lambda: {"files.often", "own"} <= sent())
        worker.wait_for_log("files.add", "succeeded", ": 3")
        worker.wait_for_log("files.add", "succeeded", ": 15")
        # A bundle that comes later brings its schedules with it.
        worker.install(build("more"))
        worker.wait_for("the other bundle's to be sent", lambda: {"more.often", "more.unwanted"} <= sent())
        assert "files.unwanted" not in sent()
        # One that goes takes them along.
        os.unlink(os.path.join(worker.plugins, "files.so"))
        worker.wait_for_log("files.so is gone")
        count = len(worker.events("beat-sent"))
        worker.wait_for("more to be sent", lambda: len(worker.events("beat-sent")) >= count + 6)
        late = [line["schedule"] for line in worker.events("beat-sent")[count + 3:]]
        assert "files.often" not in late and "more.often" in late
        assert worker.stop() == 0
    finally:
        worker.close()


def test_beat_next_shows_them_as_the_operator_changed_them(tmp_path, build, settings_file, taskhost):
    plugins = os.path.dirname(build("files"))
    shown = taskhost("beat", "next", "--config", settings_file, "--plugins", plugins, "--json", "--count", "1000")
    shown.expect(0)
    when = {}
    for line in shown.out.splitlines():
        run = json.loads(line)
        when[run["schedule"]] = (run["task"], run["when"])
    assert when["files.often"] == ("files.add", "every 1 s") and when["own"] == ("files.add", "every 1 s")
    assert "files.unwanted" not in when
    listed = taskhost("bundles", plugins).out
    assert "schedule files.nightly: files.add, 30 2 * * * (Europe/Berlin)" in listed


def test_an_operator_who_speaks_of_a_schedule_that_nobody_has_is_told(tmp_path, settings_file, taskhost):
    empty = tmp_path / "none"
    empty.mkdir()
    shown = taskhost("beat", "next", "--config", settings_file, "--plugins", str(empty))
    shown.expect(78)
    assert '[schedules.files.nightly] names no task, and no bundle has a schedule of that name' in shown.err


def test_a_bundle_whose_schedule_makes_no_sense_is_refused(build, taskhost):
    shown = taskhost("bundles", build("files", CRON="30 25 * * *"))
    shown.expect(1)
    assert "files.so cannot be used: schedule files.nightly, cron: the hour cannot be 25: write 0…23" in shown.out
