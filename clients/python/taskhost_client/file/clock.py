"""The wall clock as the file has it, for etas and expiries."""
import time


def now():
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def after(seconds):
    """The moment so many seconds from now; None stays None: never."""
    return None if seconds is None else now() + int(seconds * 1_000_000)
