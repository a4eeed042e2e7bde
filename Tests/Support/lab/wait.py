"""Waiting for something to become true in another process, with a reason when it doesn't."""
import time


class TooLate(AssertionError):
    """The awaited event didn't come."""


def until(what, probe, seconds=30.0, every=0.01):
    """Calls `probe` until it returns something true, and returns that. `what` completes "waited … for"."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise TooLate(f"waited {seconds:g} s for {what}")
        time.sleep(every)
