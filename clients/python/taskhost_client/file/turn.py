"""Processes that want to write take turns, as in taskhost: SQLite's own lock is no queue, and a host that commits one batch
after the other would keep it from us.

The turn is a `flock` on the wake file: gone with the process that has it. Who blocks for it has it in the order of arrival; as
that knows no time limit, a thread does. It is passed on as soon as its holder has the write lock.
"""
import fcntl
import os
import threading

from taskhost_client.errors import BrokerUnavailable


class WriteTurn:
    """Also tells others that there is something new, by touching the same file."""

    # Seconds. Then we write without it: fairness is not worth standing still for.
    PATIENCE = 2.5

    def __init__(self, path):
        self._path = path
        try:
            self._descriptor = self._open()
        except OSError as error:
            raise BrokerUnavailable(f"{path} cannot be opened: {error.strerror}. "
                                  "Give this user write access to the file and its folder") from error
        self._is_ours = False
        self._place = None  # of the queue

    def take(self):
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._is_ours = True
        except BlockingIOError:
            self._wait()

    def pass_on(self):
        if self._is_ours:
            self._is_ours = False
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        elif self._place is not None and self._place.is_ours:
            self._place.pass_on()
            self._place = None

    def announce(self):
        """After the commit. Workers and other clients watch for it; they also look by themselves each second."""
        os.utime(self._descriptor)

    def close(self):
        os.close(self._descriptor)

    def _open(self):
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _wait(self):
        # A place in the queue that took too long is kept: one thread is enough.
        if self._place is None or self._place.is_over:
            try:
                self._place = _Place(self._open())
                self._place.start()
            except (OSError, RuntimeError):  # no more descriptors or threads: without it
                self._place = None
                return
        self._place.wait(self.PATIENCE)


class _Place(threading.Thread):
    """A place in the kernel's queue. What it gets is given back unless somebody waits for it."""

    def __init__(self, descriptor):
        super().__init__(name="taskhost-turn", daemon=True)
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._is_wanted = False
        self.is_ours = False
        self.is_over = False

    def run(self):
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            has_it = True
        except OSError:  # the kernel has no more locks: without it
            has_it = False
        with self._changed:
            if has_it and self._is_wanted:
                self.is_ours = True
                self._changed.notify()
            else:
                self.pass_on()
                self._changed.notify()

    def wait(self, seconds):
        with self._changed:
            self._is_wanted = True
            self._changed.wait_for(lambda: self.is_ours or self.is_over, seconds)
            self._is_wanted = False

    def pass_on(self):
        self.is_ours, self.is_over = False, True
        os.close(self._descriptor)
