"""TERM, INT, QUIT, each once and again; HUP."""
import os
import signal
import time

from conftest import HERE, example
from lab import bundles, processes
from lab.wait import until


def busy(transport, start_worker, queue, note, gate, **how):
    worker = start_worker(transport, queue, slots=1, **how)
    running = transport.send("journey.gate", str(note), "running", gate.path, queue=queue)
    until("the task to run", lambda: note.lines == ["running"])
    waiting = [transport.send("journey.mark", str(note), f"waiting {n}", queue=queue) for n in range(10)]
    return worker, running, waiting


def test_term_finishes_what_runs_and_gives_the_rest_back(redis_transport, start_worker, queues, queue, note, gate):
    worker, running, _ = busy(redis_transport, start_worker, queue, note, gate)
    worker.send(signal.SIGTERM)
    until("the rest to be back in the queue", lambda: queues.ready(queue) == 10)
    gate.open()
    assert worker.wait() == 0
    assert running.get(timeout=30) == "running"
    assert note.lines == ["running", "running done"]
    back = queues.get(queue)
    assert "taskhost-starts" not in back.headers or back.headers["taskhost-starts"] == 0


def test_a_second_term_ends_it_now_and_the_running_task_goes_back(redis_transport, start_worker, queues, queue, note,
                                                                 gate):
    worker, _, _ = busy(redis_transport, start_worker, queue, note, gate)
    family = processes.descendants(worker.pid)
    worker.send(signal.SIGTERM)
    until("it to have heard the first", lambda: queues.ready(queue) == 10)
    began = time.monotonic()
    worker.send(signal.SIGTERM)
    worker.wait(10)
    print(f"the second TERM ended it after {time.monotonic() - began:.3f} s")
    until("all 11 messages to be back", lambda: queues.ready(queue) == 11)
    assert not [pid for pid in family if processes.alive(pid)]
    assert note.lines == ["running"]


def test_the_grace_period_ends_a_task_that_does_not_finish(redis_transport, start_worker, queues, queue, note, gate):
    worker, _, _ = busy(redis_transport, start_worker, queue, note, gate, grace=1)
    began = time.monotonic()
    worker.stop()
    assert 0.9 < time.monotonic() - began < 8
    until("all 11 messages to be back", lambda: queues.ready(queue) == 11)


def test_int_is_a_warm_stop_with_status_1(redis_transport, start_worker, queue, note, gate):
    worker, running, _ = busy(redis_transport, start_worker, queue, note, gate)
    worker.send(signal.SIGINT)
    gate.open()
    assert worker.wait() == 1
    assert running.get(timeout=30) == "running"


def test_quit_ends_it_now_and_gives_back_early_acknowledged_tasks_too(redis_transport, start_worker, queues, queue,
                                                                      note, gate):
    worker = start_worker(redis_transport, queue, slots=2)
    for task in ("journey.gate", "journey.gate_early"):
        redis_transport.send(task, str(note), task, gate.path, queue=queue)
    until("both to run", lambda: len(note.lines) == 2)
    worker.send(signal.SIGQUIT)
    assert worker.wait() == 0
    until("both messages to be back", lambda: queues.ready(queue) == 2)
    back = [queues.get(queue) for _ in range(2)]
    assert [one.headers.get("taskhost-starts", 0) for one in back] == [0, 0]
    assert sorted(one.headers["task"] for one in back) == ["journey.gate", "journey.gate_early"]


def test_in_a_soft_stop_what_runs_finishes_and_the_rest_goes_back(redis_transport, start_worker, queues, queue, note,
                                                                gate):
    worker, running, _ = busy(redis_transport, start_worker, queue, note, gate,
                              environment={"TASKHOST_SOFT_SHUTDOWN_TIMEOUT": "20"})
    worker.send(signal.SIGQUIT)
    until("the rest to be back in the queue", lambda: queues.ready(queue) == 10)
    gate.open()
    assert worker.wait() == 0
    assert running.get(timeout=30) == "running"
    assert queues.ready(queue) == 10


def test_a_soft_stop_ends_a_task_that_does_not_finish(redis_transport, start_worker, queues, queue, note, gate):
    worker, _, _ = busy(redis_transport, start_worker, queue, note, gate,
                        environment={"TASKHOST_SOFT_SHUTDOWN_TIMEOUT": "0.5"})
    worker.send(signal.SIGQUIT)
    assert worker.wait() == 0
    until("all 11 messages to be back", lambda: queues.ready(queue) == 11)
    assert [(one["kind"], one["cause"]) for one in worker.events("stopping")] == [("soft", "SIGQUIT")]


def test_each_further_int_is_a_harder_stop(redis_transport, start_worker, queues, queue, note, gate):
    worker, _, _ = busy(redis_transport, start_worker, queue, note, gate,
                        environment={"TASKHOST_SOFT_SHUTDOWN_TIMEOUT": "600"})
    for kinds in (["warm"], ["warm", "soft"], ["warm", "soft", "cold"]):
        worker.send(signal.SIGINT)
        until(f"a stop that is {kinds[-1]}", lambda: [one["kind"] for one in worker.events("stopping")] == kinds)
    assert worker.wait() == 1
    until("all 11 messages to be back", lambda: queues.ready(queue) == 11)
    assert note.lines == ["running"]


def test_term_acts_as_quit_where_celerys_variable_says_so(redis_transport, start_worker, queues, queue, note, gate):
    worker, _, _ = busy(redis_transport, start_worker, queue, note, gate,
                        environment={"REMAP_SIGTERM": "SIGQUIT"})
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    until("all 11 messages to be back", lambda: queues.ready(queue) == 11)
    assert [one["kind"] for one in worker.events("stopping")] == ["cold"]


def test_a_replaced_bundle_is_used_for_the_next_task(redis_transport, start_worker, queue, journey, tmp_path):
    worker = start_worker(redis_transport, queue)
    assert redis_transport.send("journey.version", queue=queue).get(timeout=30) == "1.0"
    newer = bundles.build_c(os.path.join(HERE, "bundles", "journey.c"), tmp_path, ['JOURNEY_VERSION="2.0"'])
    worker.install(newer, os.path.basename(journey))
    worker.send(signal.SIGHUP)
    until("the new version to answer",
          lambda: redis_transport.send("journey.version", queue=queue).get(timeout=30) == "2.0")


def test_a_bundle_replaced_while_its_task_runs_lets_it_finish(redis_transport, start_worker, queue, note, gate,
                                                             journey, tmp_path):
    worker, running, waiting = busy(redis_transport, start_worker, queue, note, gate)
    newer = bundles.build_c(os.path.join(HERE, "bundles", "journey.c"), tmp_path, ['JOURNEY_VERSION="2.0"'])
    worker.install(newer, os.path.basename(journey))
    worker.send(signal.SIGHUP)
    gate.open()
    assert running.get(timeout=30) == "running"
    assert [one.get(timeout=30) for one in waiting] == [f"waiting {n}" for n in range(10)]
    until("the new version to answer",
          lambda: redis_transport.send("journey.version", queue=queue).get(timeout=30) == "2.0")


def test_ready_is_told_to_the_service_manager(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue)
    until("READY=1", lambda: "READY=1" in worker.take_notices())


def test_a_new_bundle_is_found_without_a_signal(redis_transport, start_worker, queue, journey):
    worker = start_worker(redis_transport, queue, plugins=[example("arithmetic")])
    worker.install(journey)
    worker.wait_for_log("journey.so")
    until("the new bundle to answer", lambda: redis_transport.send(
        "journey.echo", "here", queue=queue).get(timeout=30, propagate=False) == "here")
