"""Soft limits that a task can act upon; hard limits that leave nothing behind."""
import time

import billiard.exceptions
import pytest
from conftest import example
from lab import processes
from lab.wait import until


def test_a_c_task_cleans_up_at_its_soft_limit(transport, start_worker, queue, note):
    start_worker(transport, queue)
    with pytest.raises(billiard.exceptions.SoftTimeLimitExceeded):
        transport.send("journey.soft", str(note), queue=queue).get(timeout=10)
    assert note.lines == ["cleaned up"]


def test_an_async_swift_task_cleans_up_at_its_soft_limit(redis_transport, start_worker, queue, note, softly):
    start_worker(redis_transport, queue, plugins=[softly])
    with pytest.raises(billiard.exceptions.SoftTimeLimitExceeded):
        redis_transport.send("softly.wait", str(note), queue=queue).get(timeout=10)
    assert note.lines == ["cleaned up"]


def test_a_limit_in_the_message_wins_over_the_manifests(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue)
    began = time.monotonic()
    with pytest.raises(billiard.exceptions.SoftTimeLimitExceeded):
        redis_transport.send("journey.soft", str(note), queue=queue, soft_time_limit=1.0).get(timeout=10)
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("way", ["stubborn", "forks", "daemonises", "fork loop"])
def test_a_hard_limit_of_one_second_leaves_nothing_of_the_task(redis_transport, start_worker, queue, way, tmp_path):
    worker = start_worker(redis_transport, queue, slots=1, plugins=[example("sleeper"), example("saboteur"),
                                                                  example("arithmetic")])
    task, args = stubborn(way, tmp_path)
    before = set(processes.descendants(worker.pid))
    seen = set()
    result = redis_transport.app.send_task(task, args, queue=queue, time_limit=1)
    until("the task's process to appear", lambda: note_family(worker, before, seen))
    began = time.monotonic()

    def ended():
        note_family(worker, before, seen)
        return result.state != "PENDING"

    until("the hard limit to be reported", ended, 10, every=0.005)
    told = time.monotonic() - began
    until("every process of the task to be gone", lambda: not [pid for pid in seen if processes.alive(pid)], 2)
    gone = time.monotonic() - began
    with pytest.raises(billiard.exceptions.TimeLimitExceeded) as raised:
        result.get(timeout=5)
    assert raised.value.args == (1,)
    print(f"{way}: reported after {told:.3f} s, {len(seen)} processes gone after {gone:.3f} s (limit 1 s)")
    assert 0.8 < told < 3 and gone < 3
    assert redis_transport.send("tasks.add", 1, 1, queue=queue).get(timeout=10) == 2.0


def stubborn(way, tmp_path):
    """Task and arguments, by the example bundles' names."""
    return {
        "stubborn": ("sleeper.stubborn", (30,)),
        "forks": ("saboteur.fork", ("plain",)),
        "daemonises": ("saboteur.fork", ("daemon",)),
        "fork loop": ("saboteur.fork", ("loop",)),
    }[way]


def note_family(worker, before, seen):
    """Adds the processes that came below the worker since `before`; zygotes and spares are among `before`."""
    runners = set(processes.zygotes(worker.pid))
    seen.update(set(processes.descendants(worker.pid)) - before - runners)
    return seen
