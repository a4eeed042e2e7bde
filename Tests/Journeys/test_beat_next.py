"""`taskhost beat next`: what is due next, of each schedule; and beats whose schedules are switched off."""
import datetime
import subprocess
import zoneinfo

import pytest
from lab import settings
from lab.wait import until
from lab.worker import clean_environment

NIGHTLY, HALF_MINUTE, MONTHLY = "nightly", "quick", "monthly"
ZONE = "America/Argentina/Mendoza"


@pytest.fixture
def schedules(tmp_path):
    path = tmp_path / "beat.toml"
    path.write_text(f'[schedules.{NIGHTLY}]\ntask = "a.b"\ncron = "30 2 * * *"\ntimezone = "{ZONE}"\n\n'
                    f'[schedules.{HALF_MINUTE}]\ntask = "a.c"\nevery = 30\n\n'
                    f'[schedules.{MONTHLY}]\ntask = "a.d"\ncron = "0 0 1 * *"\n')
    return str(path)


def test_a_quick_schedule_does_not_hide_the_others(taskhost, schedules):
    lines = taskhost("beat", "next", "--config", schedules, "--count", "5").expect(0).out.splitlines()
    first, following = lines[:3], lines[4:]
    assert lines[3] == "" and len(following) == 2
    assert all(any(name in line for line in first) for name in (NIGHTLY, HALF_MINUTE, MONTHLY))
    assert all(HALF_MINUTE in line for line in following)
    few = taskhost("beat", "next", "--config", schedules, "--count", "1").expect(0).out.splitlines()
    assert len(few) == 3


def test_json_tells_each_time_in_the_zone_of_its_schedule(taskhost, schedules):
    shown = taskhost("beat", "next", "--config", schedules, "--json").expect(0).json_lines
    assert len(shown) == 10 and len({run["schedule"] for run in shown[:3]}) == 3
    nightly = next(run for run in shown if run["schedule"] == NIGHTLY)
    time = datetime.datetime.fromisoformat(nightly["time"])
    assert (time.hour, time.minute) == (2, 30)
    assert time.utcoffset() == time.astimezone(zoneinfo.ZoneInfo(ZONE)).utcoffset()


def test_a_beat_whose_schedules_are_all_off_runs_on_and_sends_nothing(tmp_path):
    path = tmp_path / "beat.toml"
    path.write_text('[schedules.x]\ntask = "a.b"\nevery = 1\nenabled = false\n')
    log = tmp_path / "log"
    with open(log, "wb") as out:
        beat = subprocess.Popen([settings.taskhost(), "beat", "--config", str(path), "-b", f"sqlite://{tmp_path}/b.db"],
                                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                env=clean_environment(str(tmp_path)), cwd=tmp_path)
    try:
        until("it to lead", lambda: "beat-leading" in log.read_text() or "sends what is due" in log.read_text())
        assert "switched off" in log.read_text()
        assert beat.poll() is None
    finally:
        beat.terminate()
        assert beat.wait(30) == 0
    assert "sent x" not in log.read_text()
