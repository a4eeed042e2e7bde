"""Hosts none of whose bundles load: they take no work, so that nobody's messages are refused as unregistered."""
import os
import signal

import pytest
from conftest import example
from lab.wait import until

NO_BUNDLE = 65


@pytest.fixture
def broken(tmp_path):
    """broken("name.so"): a file that is no library."""
    def make(name):
        path = tmp_path / name
        path.write_text("not a library\n")
        return str(path)
    return make


def test_a_host_whose_bundles_all_fail_ends_with_each_reason_and_takes_no_message(redis_transport, start_worker, queue,
                                                                                 queues, broken):
    redis_transport.send("tasks.add", 1, 2, queue=queue)
    worker = start_worker(redis_transport, queue, plugins=[broken("one.so"), broken("two.so")], wait=False)
    assert worker.wait() == NO_BUNDLE
    said = worker.tail()
    assert "one.so" in said and "two.so" in said and "ELF" in said and "fix:" in said
    assert worker.events("ready") == []
    assert queues.ready(queue) == 1 and not queues.ready(f"{queue}.dead")


def test_one_bundle_that_loads_is_enough(redis_transport, start_worker, queue, broken):
    worker = start_worker(redis_transport, queue, plugins=[example("arithmetic"), broken("bad.so")])
    assert redis_transport.send("tasks.add", 1, 2, queue=queue).get(timeout=30) == 3.0
    worker.wait_for_log("bad.so")


def test_new_files_that_all_fail_leave_the_old_bundles_in_service(redis_transport, start_worker, queue, queues, broken,
                                                                 journey):
    worker = start_worker(redis_transport, queue, plugins=[example("arithmetic")])
    worker.install(broken("new.so"))
    os.unlink(os.path.join(worker.plugins, "arithmetic.so"))
    worker.send(signal.SIGHUP)
    worker.wait_for_log("arithmetic.so", "goes on serving")
    assert redis_transport.send("tasks.add", 1, 2, queue=queue).get(timeout=30) == 3.0
    # Once something else loads, the old one goes.
    worker.install(journey)
    worker.wait_for_log("Bundle journey", "loaded")
    assert redis_transport.send("journey.echo", "hi", queue=queue).get(timeout=30) == "hi"
    redis_transport.send("tasks.add", 1, 2, queue=queue)
    until("it to be unknown now", lambda: queues.ready(f"{queue}.dead") == 1)
