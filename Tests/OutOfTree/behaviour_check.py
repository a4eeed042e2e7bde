"""What Swift tasks may do, checked in real children of a real runner."""

import signal

import runner_driver
from calls import loaded

SOFT_LIMIT = {"exc_type": "SoftTimeLimitExceeded", "exc_module": "billiard.exceptions", "exc_message": ["the task stopped at its soft limit"]}


def check(runner, path):
    with loaded(runner, path) as bundle:
        for again in range(2):
            assert bundle.value("behaviour.async") == [1, 499500, 1, 7, 1], "async work"
        assert bundle.value("behaviour.on_main") is True, "run on the main actor"
        assert bundle.call("behaviour.shout", "a").code == runner_driver.SUCCESS, "Foundation in a task"
        bundle.fresh()
        assert [bundle.value("behaviour.count") for _ in range(3)] == [1, 2, 3], "statics live on in a kept child"
        bundle.fresh()
        assert bundle.value("behaviour.count") == 1, "and not beyond it"

        for name in ("behaviour.wait", "behaviour.spin"):
            frame = bundle.stopped(name)
            failure = {key: frame.value[key] for key in SOFT_LIMIT}
            assert failure == SOFT_LIMIT, f"{name} at its soft limit: {frame.text}"
        frame = bundle.stopped("behaviour.wait", True)
        assert (frame.code, frame.value) == (runner_driver.SUCCESS, "tidied up"), f"cleaning up: {frame.text}"
        assert bundle.value("behaviour.count") == 2, "a stopped child serves on"

        bundle.send("behaviour.trap", 3)
        ended = bundle.lane.exited()
        assert ended.status & 0x7F in (signal.SIGILL, signal.SIGTRAP), f"a Swift trap: {ended}"
        bundle.fresh()
        assert bundle.value("behaviour.trap", 2) == 3, "after a trap the next child serves"
