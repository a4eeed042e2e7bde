"""How tasks of a Celery app end: what is stored is what Celery's own worker stores, field by field."""
import json
import re
import subprocess
import sys

import pytest

from lab import python
from lab.wait import until

sys.path.insert(0, python.APPS)
import apart  # noqa: E402
import endings  # noqa: E402


@pytest.fixture
def worker(start_worker, redis_transport, queue, tmp_path):
    return start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                        environment=python.environment("endings"))


@pytest.fixture
def celery_worker(redis_transport, queues, tmp_path):
    """Celery's prefork worker with the same app, at a queue of its own: the queue's name."""
    name = queues.new()
    with open(tmp_path / "celery.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "endings", "-b", redis_transport.broker,
             "--result-backend", redis_transport.backend, "worker", "-n", f"{name}@%h", "-Q", name, "-c", "2", "--without-gossip",
             "--without-mingle", "--without-heartbeat"], cwd=python.APPS, stdout=log, stderr=subprocess.STDOUT)
    yield name
    process.terminate()
    process.wait(20)


def stored(transport, sent):
    """What lies in the store under each name, once all is there."""
    missing = dict(sent)
    found = {}
    def all_there():
        for name, result in list(missing.items()):
            document = transport.app.backend.client.get(transport.app.backend.get_key_for_task(result.id))
            if document and json.loads(document)["status"] in ("SUCCESS", "FAILURE"):
                found[name] = json.loads(document)
                del missing[name]
        return not missing
    try:
        until("results", all_there, 25)
    except AssertionError:
        raise AssertionError(f"no result of {sorted(missing)}") from None
    return found


# What differs by nature: addresses, job numbers of Celery's pool, how deep the worker's own frames are; and what a text of
# the host cannot hold: half characters and NUL, which stand there as Python's repr has them.
BY_NATURE = ((r"0x[0-9a-f]+", "0x"), (r" Job: \d+", ""), (r"repeated \d+ more", "repeated more"), ("\udc80", r"\\udc80"),
             ("\0", r"\\x00"))
WORKERS_OWN = re.compile(r"""[ |]*  File "[^"]*/(celery/app/trace|celery/backends/\w+)\.py", line .*""")


def comparable(document):
    """Without the message's id and times, and without the frames of either worker that lead to the task."""
    document = {name: value for name, value in document.items() if name not in ("task_id", "date_done")}
    if document["traceback"]:
        document["traceback"] = alike(tasks_frames(document["traceback"]))
    if document["status"] == "FAILURE":
        document["result"] = alike(document["result"])
    return document


def alike(value):
    if isinstance(value, dict):
        return {name: alike(one) for name, one in value.items()}
    if isinstance(value, list):
        return [alike(one) for one in value]
    if isinstance(value, str):
        for pattern, instead in BY_NATURE:
            value = re.sub(pattern, instead, value)
    return value


def tasks_frames(text):
    lines, kept = iter(text.split("\n")), []
    line = next(lines, None)
    while line is not None:
        if WORKERS_OWN.fullmatch(line):
            line = next(lines)
            while line.lstrip(" |").startswith("File ") is False and re.match(r"[ |]*    ", line):
                line = next(lines)
        else:
            kept.append(line)
            line = next(lines, None)
    return "\n".join(kept)


def test_what_is_stored_is_what_celerys_worker_stores(redis_transport, worker, celery_worker, queue):
    def send(to):
        return {name: redis_transport.app.send_task(f"endings.{name}", queue=to) for name in endings.NAMES}
    ours, theirs = send(queue), send(celery_worker)
    ours, theirs = stored(redis_transport, ours), stored(redis_transport, theirs)
    different = {name: (comparable(ours[name]), comparable(theirs[name])) for name in endings.NAMES
                 if comparable(ours[name]) != comparable(theirs[name])}
    for name, (one, other) in different.items():
        print(f"--- {name}\n  ours   {json.dumps(one)}\n  theirs {json.dumps(other)}")
    assert not different, sorted(different)


@pytest.fixture
def call(redis_transport, queue):
    return lambda name, *args: redis_transport.app.send_task(f"apart.{name}", args, queue=queue)


def test_the_soft_limit_ends_whatever_python_waits_in(call, worker, note):
    sent = {how: call("waits", how, str(note)) for how in apart.waiting}
    for how, result in sent.items():
        until(f"the end of {how}", result.ready, 30)
        assert type(result.result).__name__ == "SoftTimeLimitExceeded", (how, result.result)
        assert result.traceback.rstrip().endswith("SoftTimeLimitExceeded: SoftTimeLimitExceeded()"), result.traceback
        assert "apart.py" in result.traceback.splitlines()[1]
    took = dict(line.split() for line in note.lines)
    assert set(took) == set(apart.waiting) and all(0.2 < float(seconds) < 3 for seconds in took.values()), took


def test_a_revoked_task_is_terminated(call, worker, redis_transport, note):
    revoked = call("waits_unlimited", str(note))
    until("the task to run", lambda: note.lines, 20)
    redis_transport.app.control.revoke(revoked.id, terminate=True)
    until("the end of a revoked task", revoked.ready, 20)
    assert (revoked.status, type(revoked.result).__name__) == ("REVOKED", "TaskRevokedError")


def test_coroutines_are_tasks(call, worker):
    sent = [call("adds_in_loop", 1, 2), call("retries_in_loop"), call("fails_in_loop"),
            *(call("waits_in_loop", how) for how in ("wait", "reckon"))]
    assert [one.get(timeout=20) for one in sent[:2]] == [3, 2]
    assert [one.get(timeout=20) for one in sent[3:]] == ["stopped while it would wait", "stopped while it would reckon"]
    assert call("models_in_loop", {"parts": ["1", 2]}).get(timeout=20) == {"parts": [1, 2], "whole": 3}
    with pytest.raises(Exception, match="in a loop"):
        sent[2].get(timeout=20)
    lines = sent[2].traceback.splitlines()
    assert "apart.py" in lines[1] and "in fails_in_loop" in lines[1], lines


def test_a_crash_in_c_gives_the_native_and_the_python_stack(call, worker):
    crashed = call("crashes")
    until("the end of a crash", crashed.ready, 20)
    assert "signal 11 (SIGSEGV)" in str(crashed.result)
    lines = crashed.traceback
    assert "string_at" in lines or "libffi" in lines or "_ctypes" in lines, lines
    assert "apart.py" in lines and "in reads_nowhere" in lines and "in crashes" in lines, lines


def test_each_child_has_random_numbers_of_its_own(call, worker):
    seen = [call("identity").get(timeout=20) for _ in range(3)]
    for values in zip(*seen):
        assert len(set(values)) == 3, seen


def test_what_a_task_forks_has_no_locks_of_its_threads(call, worker):
    assert call("forks_while_a_thread_logs").get(timeout=20) == [0, True]


def test_what_celerys_own_worker_does_not_survive_is_a_failure_here(call, worker):
    out_of_memory = call("memory")
    with pytest.raises(MemoryError, match="none left"):
        out_of_memory.get(timeout=20)
    assert call("multiprocesses").get(timeout=20) == [0, 1, 4, 9]
    ignored = call("ignored_odd")
    worker.wait_for_log(ignored.id, "succeeded")


@pytest.mark.parametrize("task, starts", [("deadly.once", 1), ("deadly.again", 3)])
def test_a_task_that_says_acks_late_false_starts_once_though_that_is_celerys_default(
        start_worker, redis_transport, queue, tmp_path, task, starts):
    start_worker(redis_transport, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                 environment=python.environment("deadly"))
    started = tmp_path / "started"
    sent = redis_transport.app.send_task(task, (str(started),), queue=queue)
    assert stored(redis_transport, {task: sent})[task]["result"]["exc_type"] == "WorkerLostError"
    assert started.read_text().count("started") == starts
