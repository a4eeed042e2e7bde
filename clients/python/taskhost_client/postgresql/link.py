"""One connection to the database, made when it is needed and made again after it was lost."""
import os

import psycopg2

from taskhost_client.errors import BrokerRefused, BrokerUnavailable

# The layout this package writes.
VERSION = 1

# SQLSTATE: undefined table, undefined schema, no rights.
MISSING = ("42P01", "3F000")
FORBIDDEN = "42501"
# A standby, or a server that is read-only after a fail-over.
READ_ONLY = "25006"


class Link:
    """Belongs to one thread at a time, as a kombu connection does."""

    def __init__(self, address):
        self._address = address
        self._db = None
        self._process = os.getpid()
        self._listened = set()

    def rows(self, sql, values=()):
        """What one statement answers; it is committed then."""
        db = self._opened()
        try:
            with db.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]
        except (psycopg2.Error, ValueError) as error:
            raise self._sorted(error) from error

    def listen(self, channel):
        if channel not in self._listened:
            self.rows(f'LISTEN "{channel}"')
            self._listened.add(channel)

    def unlisten(self, channel):
        self._listened.discard(channel)
        if self._db is not None:
            self.rows(f'UNLISTEN "{channel}"')

    def notices(self):
        """(channel, text) of what has come since the last call."""
        db = self._opened()
        try:
            db.poll()
        except psycopg2.Error as error:
            raise self._sorted(error) from error
        found = [(one.channel, one.payload) for one in db.notifies]
        del db.notifies[:]
        return found

    def close(self):
        db, self._db = self._db, None
        if db is not None and self._process == os.getpid():
            db.close()

    def _opened(self):
        if self._process != os.getpid():
            # Inherited by a fork: the connection is the parent's. psycopg2 leaves it alone when it is forgotten here.
            self._process, self._db = os.getpid(), None
        if self._db is None or self._db.closed:
            self._db = self._connected()
        return self._db

    def _connected(self):
        try:
            db = psycopg2.connect(**{"application_name": "taskhost-client", **self._address})
        except (psycopg2.Error, UnicodeError, ValueError) as error:
            raise self._sorted(error) from error
        try:
            db.autocommit = True
            with db.cursor() as cursor:
                cursor.execute("SELECT max(version) FROM taskhost.layout")
                self._check(cursor.fetchone()[0])
                for channel in self._listened:
                    cursor.execute(f'LISTEN "{channel}"')
        except psycopg2.Error as error:
            db.close()
            raise self._sorted(error) from error
        except BrokerRefused:
            db.close()
            raise
        return db

    @staticmethod
    def _check(version):
        if version is None or version > VERSION:
            raise BrokerRefused(f"The schema taskhost has layout {version}, this taskhost-client knows {VERSION}. "
                                "Install the taskhost-client that came with the newer taskhost")

    def _sorted(self, error):
        """The error of ours that it means; a connection that is of no more use is given up."""
        said, state = str(error).strip().splitlines()[:1] or [""], getattr(error, "pgcode", None)
        if state in MISSING:
            return BrokerUnavailable("The database has no schema taskhost so far. Start a taskhost worker on it once "
                                     "(taskhost worker --broker postgresql://…), then send again")
        if state == FORBIDDEN:
            return BrokerRefused(f"PostgreSQL does not let this user send: {said[0]}. GRANT USAGE ON SCHEMA taskhost and "
                                 "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA taskhost to it")
        if state == READ_ONLY or isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
            self.close()
            return BrokerUnavailable(f"PostgreSQL cannot be used at the moment: {said[0]}")
        return BrokerRefused(f"PostgreSQL does not take this: {said[0]}")
