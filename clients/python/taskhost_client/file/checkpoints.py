"""When what is in the write-ahead log goes into the database itself; the same rule as in taskhost's Checkpoints.swift.

SQLite before 3.51.3 (3.50.7, 3.44.6) can damage a file when two processes write back its log at one moment. With such a
library it is done at our word only, while no other process can write.
"""
import os
import sqlite3


def is_mended(version):
    major, minor, patch = version
    if (major, minor) in MENDED:
        return patch >= MENDED[major, minor]
    return (major, minor) > (3, 51)


MENDED = {(3, 44): 6, (3, 50): 7, (3, 51): 3}


class Checkpoints:
    MOST_JOBS = 1000
    MOST_BYTES = 8 << 20

    def __init__(self, db, path):
        self._log_path = path + "-wal"
        self._jobs = 0
        self._is_automatic = is_mended(sqlite3.sqlite_version_info)
        # Pages, for SQLite's own way.
        db.execute(f"PRAGMA wal_autocheckpoint = {2000 if self._is_automatic else 0}").fetchall()
        # Of what is written back at our word the log keeps little, so that its size tells how much there is.
        db.execute(f"PRAGMA journal_size_limit = {64 << 20 if self._is_automatic else 1 << 20}").fetchall()

    def written(self):
        self._jobs += 1

    @property
    def is_due(self):
        return not self._is_automatic and (self._jobs >= self.MOST_JOBS or self._log_size() > self.MOST_BYTES)

    def run(self, db):
        """To be called by the holder of the turn: no other process begins to write then. The empty transaction waits for
        who has begun."""
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._jobs = 0

    def _log_size(self):
        try:
            return os.stat(self._log_path).st_size
        except FileNotFoundError:
            return 0
