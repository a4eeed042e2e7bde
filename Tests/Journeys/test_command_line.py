"""What the command line says when something is wrong, and what it shows when nothing is."""
import os
import shutil
import socket

import pytest
from conftest import example

UNUSABLE = 69
CONFIGURATION = 78


def unused_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("words", [[], ["worker"], ["call"], ["result"], ["bundles"], ["purge"], ["dead"],
                                   ["inspect"], ["control"], ["status"], ["top"], ["events"], ["revoke"],
                                   ["hand-over"], ["scheduled"], ["beat"], ["beat", "next"], ["doctor"],
                                   ["dead", "retry"]])
def test_every_command_has_help(taskhost, words):
    shown = taskhost(*words, "--help").expect(0).out
    assert "USAGE" in shown.upper() and len(shown.splitlines()) > 5


def test_an_unknown_option_is_a_usage_error(taskhost):
    taskhost("worker", "--no-such-option").expect(64)


def test_a_refused_broker_is_named_with_the_fix(taskhost):
    port = unused_port()
    done = taskhost("call", "tasks.add", 1, 2, "-b", f"amqp://guest:secret@127.0.0.1:{port}//").expect(UNUSABLE)
    assert f"127.0.0.1:{port}" in done.err and "cannot connect" in done.err and "fix:" in done.err
    assert "secret" not in done.err + done.out


def test_bad_toml_is_reported_with_line_and_column(taskhost, tmp_path):
    path = tmp_path / "taskhost.toml"
    path.write_text('broker = "amqp://localhost"\nqueues = [oops\n')
    done = taskhost("worker", "--config", path).expect(CONFIGURATION)
    assert "taskhost.toml" in done.err and "2" in done.err


def test_an_unknown_key_in_the_configuration_names_the_nearest_one(taskhost, tmp_path):
    path = tmp_path / "taskhost.toml"
    path.write_text('brokr = "amqp://localhost"\n')
    done = taskhost("worker", "--config", path).expect(CONFIGURATION)
    assert "brokr" in done.err and "broker" in done.err.replace("brokr", "")


def test_an_empty_plugins_folder_is_said_with_where_it_looked(taskhost, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    done = taskhost("worker", "-b", f"sqlite://{tmp_path}/one.db", "-Q", "q", "--plugins", folder).expect(CONFIGURATION)
    assert str(folder) in done.err and "bundle" in done.err


def test_a_plugins_folder_others_may_write_to_is_refused_unless_the_operator_answers_for_it(taskhost, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    shutil.copy(example("arithmetic"), folder)
    os.chmod(folder, 0o777)
    done = taskhost("worker", "-b", f"sqlite://{tmp_path}/one.db", "-Q", "q", "--plugins", folder).expect(CONFIGURATION)
    assert str(folder) in done.err and "chmod" in done.err
    listed = taskhost("bundles", folder, environment={"TASKHOST_SANDBOX_TRUST_PLUGINS": "true"}).expect(0)
    assert "tasks.add" in listed.out


def test_a_bundle_that_is_missing_is_named_as_missing(taskhost, tmp_path):
    done = taskhost("bundles", tmp_path / "nofile.so").expect(CONFIGURATION)
    assert "nofile.so: no such file" in done.err and "mkdir" not in done.err


def test_bundles_shows_tasks_with_their_types(taskhost):
    shown = taskhost("bundles", example("arithmetic")).expect(0).out
    assert "tasks.add(x: f64, y: f64) -> f64" in shown
    listed = taskhost("bundles", example("arithmetic"), "--json").expect(0).json
    assert "tasks.add" in str(listed)


def test_bundles_tells_what_each_task_declares(taskhost, journey):
    [bundle] = taskhost("bundles", journey, "--json").expect(0).json["bundles"]
    tasks = {task["name"]: task for task in bundle["tasks"]}
    solo = tasks["journey.solo"]
    assert (solo["max_concurrent"], solo["limit_scope"], solo["limit_key"]) == (1, "global", "word")
    assert solo["rate_limit"] is solo["memory_limit"] is solo["acks_late"] is solo["max_retries"] is None
    assert tasks["journey.swell"]["memory_limit"] == 96 and tasks["journey.gate_early"]["acks_late"] is False
    shown = taskhost("bundles", journey).expect(0).out
    assert "max_concurrent = 1, limit_scope = global, limit_key = word" in shown


def test_bundles_says_why_a_file_would_not_load(taskhost, tmp_path):
    path = tmp_path / "broken.so"
    path.write_text("no library at all\n")
    done = taskhost("bundles", path).expect(1)
    assert "broken.so" in done.out + done.err


@pytest.mark.parametrize("words", [["bundles"], ["bundles", "--json"]])
def test_output_that_could_not_be_written_is_told_with_a_status_of_its_own(taskhost, words):
    with open("/dev/full", "w") as full:
        done = taskhost(*words, stdout=full).expect(74)
    assert "standard output" in done.err and "No space left" in done.err and "fix:" in done.err


@pytest.mark.parametrize("seconds", ["inf", "1e300", "-1", "nan"])
def test_seconds_that_no_clock_can_add_are_refused_by_name(taskhost, seconds):
    done = taskhost("worker", f"--grace={seconds}").expect(64)
    assert "grace" in done.err and "a number of seconds" in done.err


def test_the_version_is_one_line(taskhost):
    assert len(taskhost("--version").expect(0).out.strip().splitlines()) == 1
