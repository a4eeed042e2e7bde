"""Tasks of a Celery app, run by python.so: results, failures, states, retries."""
import pytest
from celery.exceptions import Reject

from lab import python
from lab.wait import until

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def worker(start_worker, transport_of_python, queue, tmp_path):
    return start_worker(transport_of_python, queue, plugins=[python.bundle()], options=python.options(tmp_path),
                        environment=python.environment("basics"))


@pytest.fixture
def transport_of_python(redis_transport):
    return redis_transport


@pytest.fixture
def call(transport_of_python, queue):
    return lambda name, *args, **kwargs: transport_of_python.app.send_task(f"basics.{name}", args, kwargs, queue=queue)


def test_results_failures_states_and_retries_are_as_in_celery(call, worker):
    assert call("add", 2, y=3).get(timeout=20) == 5

    failed = call("divide", 1, 0)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        failed.get(timeout=20)
    lines = failed.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "basics.py" in lines[1] and "in divide" in lines[1]
    assert lines[2].strip() == "return x / y"
    assert lines[-1] == "ZeroDivisionError: division by zero"

    assert call("progress", 3).get(timeout=20) == 3
    assert call("third_time").get(timeout=20) == 2

    rejected = call("turn_down", "no room")
    with pytest.raises(Reject, match="no room"):
        rejected.get(timeout=20)
    call("pass_over")
    own = call("fail_with", "one", 2)
    until("an exception of the app's own", own.ready, 20)
    assert (type(own.result).__name__, own.result.args) == ("Busy", ("one", 2))
