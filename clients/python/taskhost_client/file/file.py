"""The open file: one connection per process and address, used by one thread at a time."""
import ctypes
import os
import sqlite3
import threading
from urllib.parse import quote

from taskhost_client.errors import BrokerRefused, BrokerUnavailable
from taskhost_client.file import forks, layout
from taskhost_client.file.checkpoints import Checkpoints
from taskhost_client.file.sorting import sort
from taskhost_client.file.turn import WriteTurn

_files = {}


def opened(address):
    """The process' `File` of this address, which is open. Raises `BrokerUnavailable` or `BrokerRefused`."""
    # Of two threads that come first at one moment, both get the same.
    file = _files.get(address) or _files.setdefault(address, File(address))
    file.version()
    return file


class File:
    """Opened as taskhost opens it: write-ahead log, `synchronous` as the address says, ten seconds of patience."""

    PATIENCE = 10.0

    def __init__(self, address):
        self.address = address
        self.lock = threading.RLock()
        self._db = None
        self._writes = 0
        forks.watch(self)

    def read(self, body):
        """What `body(db)` returns. It must read all rows it asks for, and change nothing."""
        with self.lock:
            self._make_ready()
            try:
                return body(self._db)
            except sqlite3.Error as error:
                raise sort(error, self.address.path) from error

    def write(self, body):
        """What `body(db)` returns, once it is committed; all of it or nothing."""
        with self.lock:
            self._make_ready()
            try:
                value = self._commit(body)
            except (sqlite3.Error, OverflowError) as error:
                raise sort(error, self.address.path) from error
            self._writes += 1
            self._checkpoints.written()
            self._tidy_log()
            return value

    def announced_write(self, body):
        """As `write`, of something that other processes may be waiting for."""
        with self.lock:
            value = self.write(body)
            self._turn.announce()
            return value

    def version(self):
        """Another value than before: somebody has written. Costs some microseconds."""
        return self.read(lambda db: (self._writes, db.execute("PRAGMA data_version").fetchone()[0]))

    def close(self):
        """It is opened again when it is used."""
        with self.lock:
            if self._db is not None and _place(self.address.path) != self._place:
                self._abandon()
            if self._db is not None:
                self._db.close()
                self._turn.close()
                self._db = None

    def _make_ready(self):
        forks.check(self)
        if self._db is None:
            self._open()
        elif _place(self.address.path) != self._place:
            # What is written into a file that has lost its name is lost.
            self._abandon()
            raise BrokerUnavailable(f"{self.address.path} was removed or replaced while it was in use. "
                                  "What was in it is not carried over; the next attempt uses the file in its place")

    def _open(self):
        path = self.address.path
        if not os.path.exists(path):
            raise layout.missing(path)
        if not os.access(path, os.R_OK | os.W_OK):
            raise BrokerRefused(f"{path} cannot be opened for writing. Give this user write access to the file and its folder")
        db = None
        try:
            # Never makes a file: see layout.py.
            db = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=rw", uri=True, timeout=self.PATIENCE,
                                 isolation_level=None, check_same_thread=False)
            layout.check(db, path)
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise BrokerRefused(f"{path} cannot be used with a write-ahead log ({mode}). Name a file on a local disk")
            db.execute(f"PRAGMA synchronous = {self.address.synchronous}").fetchall()
            self._checkpoints = Checkpoints(db, path)
            self._place = _place(path)
            self._turn = WriteTurn(self.address.wake_path)
        except sqlite3.Error as error:
            if db is not None:
                db.close()
            raise sort(error, path) from error
        except Exception:
            db.close()
            raise
        self._db = db

    def _abandon(self):
        """Closing it would remove the log of the file that has the name now; so it stays open until the process ends."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._db))
        self._turn.close()
        self._db = None

    def _commit(self, body):
        self._turn.take()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        finally:
            self._turn.pass_on()
        try:
            value = body(self._db)
            self._db.execute("COMMIT")
            return value
        except BaseException:
            # A full disk and the like have rolled back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _tidy_log(self):
        if not self._checkpoints.is_due:
            return
        self._turn.take()
        try:
            self._checkpoints.run(self._db)
        except sqlite3.Error:
            # What was written is in the file, whatever comes of this; it is tried again after the next one.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        finally:
            self._turn.pass_on()


def _place(path):
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino
