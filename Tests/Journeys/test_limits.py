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
        transport.send("journey.soft", str(note), queue=queue).get(timeout=30)
    assert note.lines == ["cleaned up"]


def test_an_async_swift_task_cleans_up_at_its_soft_limit(redis_transport, start_worker, queue, note, softly):
    start_worker(redis_transport, queue, plugins=[softly])
    with pytest.raises(billiard.exceptions.SoftTimeLimitExceeded):
        redis_transport.send("softly.wait", str(note), queue=queue).get(timeout=30)
    assert note.lines == ["cleaned up"]


def test_a_limit_in_the_message_wins_over_the_manifests(redis_transport, start_worker, queue, note):
    start_worker(redis_transport, queue)
    began = time.monotonic()
    with pytest.raises(billiard.exceptions.SoftTimeLimitExceeded):
        redis_transport.send("journey.soft", str(note), queue=queue, soft_time_limit=1.0).get(timeout=30)
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("name, arguments", [
    ("saboteur.worst", ()),
    ("saboteur.spawn", ("daemon", 3)),
    ("saboteur.spawn", ("deaf", 3)),
    ("saboteur.bomb", ()),
    ("saboteur.chase", ()),
    ("sleeper.stubborn", (30,)),
])
def test_a_hard_limit_of_one_second_leaves_nothing_of_the_task(redis_transport, start_worker, queue, note, name,
                                                               arguments):
    worker = start_worker(redis_transport, queue, slots=1, plugins=[example("sleeper"), example("saboteur"),
                                                                  example("arithmetic")])
    idle = until("the spare children", lambda: settled(worker))
    kwargs = {"path": str(note)} if name in ("saboteur.worst", "saboteur.spawn", "saboteur.chase") else {}
    if name == "saboteur.spawn":
        kwargs["wait"] = True
    began = time.monotonic()
    result = redis_transport.app.send_task(name, arguments, kwargs, queue=queue, time_limit=1)
    with pytest.raises(billiard.exceptions.TimeLimitExceeded) as raised:
        result.get(timeout=30, interval=0.005)
    told = time.monotonic() - began
    assert raised.value.args == (1,)
    until("every process of the task to be gone", lambda: not saboteurs(note), 2)
    gone = time.monotonic() - began
    print(f"{name}{arguments}: reported after {told:.3f} s, all gone after {gone:.3f} s; the limit is 1 s")
    assert 1 <= told and gone < 3
    until("the worker to have as many processes as before", lambda: len(processes.descendants(worker.pid)) == idle)
    assert redis_transport.send("tasks.add", 1, 1, queue=queue).get(timeout=30) == 2.0


def settled(worker):
    """The number of processes below an idle worker, once it doesn't change any more (spare children are forked)."""
    first = len(processes.descendants(worker.pid))
    time.sleep(0.3)
    return first if first == len(processes.descendants(worker.pid)) else 0


def saboteurs(note):
    """Processes the task left: by the pids they noted, and by the name they gave themselves."""
    noted = {int(line) for line in note.lines if processes.alive(int(line))}
    named = {pid for pid, (name, state, _) in processes.everyone().items() if name == "sabotage" and state not in "ZX"}
    return noted | named
