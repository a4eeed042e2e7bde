"""What newcomers misspell while a worker runs: tasks, queues, bundles, arguments; each answer says what was meant."""
import signal

import pytest


@pytest.fixture
def at_work(embedded, start_worker, taskhost, tmp_path):
    """A worker over the embedded broker whose settings name a task that there is not, and commands to it."""
    config = tmp_path / "misspelt.toml"
    config.write_text('[tasks."tasks.ad"]\ntime_limit = 4\n')
    worker = start_worker(embedded, "celery", options=["--config", str(config), "-n", "misspelt@test"])
    return worker, lambda *words: taskhost(*words, "-b", embedded.broker)


def test_a_worker_warns_of_settings_of_a_task_that_it_has_not(at_work):
    worker, _ = at_work
    worker.wait_for_log("[tasks.\\\"tasks.ad\\\"] (did you mean 'tasks.add'?)")


def test_a_queue_or_a_version_that_there_is_not_is_an_error(at_work):
    _, run = at_work
    refused = run("control", "pause_queue", "celry", "-d", "misspelt@test").expect(1).out
    assert "ERROR" in refused and "(consumed: celery); did you mean 'celery'?" in refused
    refused = run("bundles", "rollback", "arithmetic", "-d", "misspelt@test").expect(1).out
    assert "ERROR" in refused and "has no version before that is still known" in refused


def test_a_call_that_fails_is_told_which_name_was_meant(at_work, embedded):
    _, run = at_work
    results = ("--result-backend", embedded.broker, "--wait=30")
    failed = run("call", "add", "4", "6", *results).expect(1).err
    assert "NotRegistered" in failed and "did you mean 'tasks.add'?" in failed
    failed = run("call", "tasks.add", "4", "y=6", *results).expect(1).err
    assert "TypeError" in failed and "--kw 'y=6'" in failed
    assert "--kw" not in run("call", "tasks.add", "4", *results).expect(1).err


def test_a_worker_that_finishes_what_runs_is_shown_as_stopping(at_work, note):
    worker, run = at_work
    sent = run("call", "journey.mark", str(note), "runs", "600").expect(0).out.strip()
    worker.wait_for("the task to run", lambda: sent in run("inspect", "active").out)
    assert "stopping" not in run("status").expect(0).out
    worker.send(signal.SIGTERM)
    worker.wait_for("it to stop", lambda: worker.events("stopping"))
    assert "  stopping: takes nothing more" in run("status").expect(0).out
    worker.kill()
