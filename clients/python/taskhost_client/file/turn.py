"""Processes that want to write take turns, as in taskhost: SQLite's own lock is no queue, and a host that commits one batch
after the other would keep it from us.

The turn is a `flock` on the wake file: gone with the process that has it. It is passed on as soon as its holder has the
write lock.
"""
import fcntl
import os
import time

from taskhost_client.errors import BrokerUnavailable


class WriteTurn:
    """Also tells others that there is something new, by touching the same file."""

    # After so many looks, some seconds, we write without it: fairness is not worth standing still for.
    LOOKS = 1000

    def __init__(self, path):
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BrokerUnavailable(f"{path} cannot be opened: {error.strerror}. "
                                  "Give this user write access to the file and its folder") from error
        self._is_ours = False

    def take(self):
        for look in range(self.LOOKS):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._is_ours = True
                return
            except BlockingIOError:
                time.sleep(0.00025 if look < 20 else 0.0025)

    def pass_on(self):
        if self._is_ours:
            self._is_ours = False
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def announce(self):
        """After the commit. Workers and other clients watch for it; they also look by themselves each second."""
        os.utime(self._descriptor)

    def close(self):
        os.close(self._descriptor)
