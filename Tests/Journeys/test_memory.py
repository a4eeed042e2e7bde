"""Memory: kept children that grow, tasks that take too much."""
import os

import pytest

from lab import processes
from lab.bundles import build_c
from lab.wait import until


def test_a_kept_child_is_replaced_once_it_has_had_too_much_and_no_result_suffers(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue, slots=1,
                          options=["--isolation", "keep:1000", "--max-memory-per-child", str(128 * 1024)])
    sent = [redis_transport.send("journey.leak", 20, queue=queue) for _ in range(20)]
    children = [one.get(timeout=20) for one in sent]
    runs = [children.count(pid) for pid in dict.fromkeys(children)]
    assert len(runs) >= 3, f"20 times 20 MiB fit into children of 128 MiB? {runs}"
    assert all(3 <= count <= 7 for count in runs[:-1]), runs
    worker.wait_for_log("KiB resident, more than 131072")
    assert not worker.said("starts in a crash") and not worker.events("crashed")


def test_without_a_bound_a_kept_child_stays(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue, slots=1, options=["--isolation", "keep:1000"])
    sent = [redis_transport.send("journey.leak", 20, queue=queue) for _ in range(10)]
    assert len({one.get(timeout=20) for one in sent}) == 1


@pytest.mark.parametrize("elsewhere", [False, True], ids=["itself", "a process it starts"])
def test_a_task_above_its_memory_limit_is_killed_and_the_result_says_so(redis_transport, start_worker, queue, note,
                                                                      elsewhere):
    worker = start_worker(redis_transport, queue)
    sent = redis_transport.send("journey.swell", str(note), elsewhere, queue=queue)
    with pytest.raises(MemoryError, match="killed: its processes had [0-9]+ MiB resident, its memory limit is 96 MiB"):
        sent.get(timeout=30)
    assert len(note.lines) == 1, "it was started again"
    until("whoever took the memory to be gone", lambda: not processes.alive(int(note.lines[0])))
    worker.wait_for_log("its memory limit is 96 MiB")


def test_the_operators_limit_holds_for_tasks_that_name_none(redis_transport, start_worker, queue):
    start_worker(redis_transport, queue, options=["--memory-limit", "100"])
    assert redis_transport.send("journey.leak", 20, queue=queue).get(timeout=30)
    with pytest.raises(MemoryError, match="its memory limit is 100 MiB"):
        redis_transport.send("journey.leak", 1500, queue=queue).get(timeout=30)


def test_what_a_bundle_had_in_memory_before_its_tasks_began_is_not_their_own(redis_transport, start_worker, queue,
                                                                           tmp_path):
    source = os.path.join(os.path.dirname(__file__), "bundles", "preloaded.c")
    start_worker(redis_transport, queue, plugins=[build_c(source, str(tmp_path))], options=["--memory-limit", "48"])
    assert redis_transport.send("preloaded.use", queue=queue).get(timeout=30) == 1
