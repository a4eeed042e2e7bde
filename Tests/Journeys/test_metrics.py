"""Metrics and probes of a real worker."""
import re
import urllib.error
import urllib.request

import pytest
from conftest import Transport
from lab.wait import until
from lab.wedge import Wedge


def port_of(worker):
    with open(worker.log_path) as log:
        for line in log:
            if '"event":"metrics"' in line.replace(": ", ":"):
                return int(re.search(r'"port":\s*"?(\d+)', line)[1])
    raise AssertionError("the log tells no port")


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()


def figure(port, line):
    found = re.search("^" + re.escape(line) + r" (\S+)$", get(port, "/metrics")[1], re.M)
    return found and float(found[1])


def test_outcomes_are_counted_by_task_and_state(start_worker, redis_transport, queue):
    worker = start_worker(redis_transport, queue, options=("--metrics-port", "0"))
    port = port_of(worker)
    assert redis_transport.send("tasks.add", 1, 2, queue=queue).get(timeout=15) == 3
    failed = redis_transport.send("nobody.knows", queue=queue)
    with pytest.raises(Exception):
        failed.get(timeout=15)
    until("the success counted", lambda: figure(
        port, 'taskhost_tasks_total{task="tasks.add",state="succeeded"}') == 1)
    until("the failure counted", lambda: figure(port, 'taskhost_tasks_total{task="other",state="failed"}') == 1)
    assert figure(port, 'taskhost_task_run_seconds_count{task="tasks.add"}') == 1
    assert figure(port, "taskhost_slots") == 2
    assert "nobody.knows" not in get(port, "/metrics")[1]


def test_a_consumer_that_the_broker_has_lost_is_noticed_and_replaced(start_worker, redis_transport, queues, queue):
    wedge = Wedge(redis_transport.broker)
    through, there = Transport("redis"), redis_transport
    through.broker = wedge.url
    worker = start_worker(through, queue, options=("--metrics-port", "0"), environment={"TASKHOST_STALL_AFTER": "2"})
    port = port_of(worker)
    until("ready", lambda: get(port, "/readyz") == (200, "ok\n"))
    assert wedge.take_consumers_away() > 0
    until("the broker to have no consumer", lambda: queues.channel.queue_declare(
        queue, passive=True).consumer_count == 0)
    sent = there.send("tasks.add", 2, 3, queue=queue)
    until("it to be noticed", lambda: get(port, "/readyz") == (
        503, "messages are ready and slots are free, but the broker delivers none\n"))
    assert figure(port, "taskhost_stalled") == 1
    worker.wait_for_log("delivered none", queue)
    assert sent.get(timeout=30) == 5, "it was not consumed anew"
    until("ready", lambda: get(port, "/readyz") == (200, "ok\n"))
    assert figure(port, "taskhost_consumers_recreated_total") == 1
    until("the gauge to fall", lambda: figure(port, "taskhost_stalled") == 0)
    worker.wait_for_log("Messages are delivered again")
    through.app.close()
    wedge.close()


def test_children_forks_and_confirmations_are_measured(start_worker, redis_transport, queue):
    port = port_of(start_worker(redis_transport, queue, options=("--metrics-port", "0")))
    for _ in range(3):
        redis_transport.send("tasks.add", 1, 2, queue=queue).get(timeout=15)
    until("three stores", lambda: figure(port, "taskhost_store_seconds_count") >= 3)
    until("the children that ran them", lambda: figure(port, "taskhost_forks_total") >= 3)
    assert figure(port, 'taskhost_children{state="ready"}') >= 1


def test_probes_answer(start_worker, redis_transport, queue):
    port = port_of(start_worker(redis_transport, queue, options=("--metrics-port", "0")))
    assert get(port, "/livez") == (200, "ok\n")
    until("ready", lambda: get(port, "/readyz") == (200, "ok\n"))
    assert get(port, "/elsewhere")[0] == 404
