"""Where results lie while `stores.py` measures: how each store is begun, its addresses, and how results are counted.

Counting costs the two cores that are measured, so each has one connection of its own for it and a cheap question.
"""
import os
import sqlite3

import psycopg2
import pymemcache
import pymongo
import pymysql
import redis
from lab import databases, settings
from servers.memcached import Memcached

DONE = "SELECT count(*) FROM celery_taskmeta WHERE status = 'SUCCESS'"


class Place:
    """`ours` and `theirs`: its address for taskhost and for Celery. `begin` makes it empty."""
    makes_tables = False

    def begin(self, number):
        raise NotImplementedError

    def count(self):
        raise NotImplementedError

    def end(self):
        pass

    def close(self):
        pass


class Database(Place):
    """A server that syncs its disk at each commit."""
    makes_tables = True

    def __init__(self, folder, face):
        self.face = face(folder, settings.server("TLS_DIR"), syncs=True)
        self.server = self.face.server
        self.server.start()
        self.server.wait_until_ready()

    def begin(self, number):
        name = f"bench{number}"
        self.face.make_database(name)
        url = self.server.url(database=name)
        self.ours, self.theirs = "db+" + url, self.face.stock(url)
        self.cursor = self.connect(name).cursor()

    def count(self):
        self.cursor.execute(DONE)
        return self.cursor.fetchone()[0]

    def end(self):
        self.cursor.connection.close()

    def close(self):
        self.server.close()


class PostgreSQL(Database):
    def __init__(self, folder):
        super().__init__(folder, databases.OnPostgreSQL)

    def connect(self, name):
        link = psycopg2.connect(self.server.url(database=name))
        link.autocommit = True
        return link


class MySQL(Database):
    def __init__(self, folder):
        super().__init__(folder, databases.OnMariaDB)

    def connect(self, name):
        return pymysql.connect(
            host="127.0.0.1", port=self.server.port, user="tester", database=name, autocommit=True)


class Redis(Place):
    """Without persistence."""

    def __init__(self, _):
        self.ours = self.theirs = settings.server("REDIS_URL").rsplit("/", 1)[0] + "/7"
        self.link = redis.Redis.from_url(self.ours)

    def begin(self, number):
        self.link.flushdb()

    def count(self):
        return self.link.dbsize()


class MongoDB(Place):
    """The server of the tests: a real one only where TASKHOST_TEST_MONGOD names it."""

    def __init__(self, _):
        self.url = settings.server("MONGODB_URL")
        self.link = pymongo.MongoClient(self.url)

    def begin(self, number):
        name = f"bench{number}"
        self.link.drop_database(name)
        self.ours = self.theirs = self.url + name
        self.rows = self.link[name].celery_taskmeta

    def count(self):
        return self.rows.count_documents({"status": "SUCCESS"})


class InMemcached(Place):
    """A server for each run: one that has been flushed counts its old items still."""

    def __init__(self, folder):
        self.folder = folder

    def begin(self, number):
        folder = os.path.join(self.folder, f"memcached{number}")
        os.mkdir(folder)
        self.server = Memcached(folder, "-m", "256")
        self.server.start()
        self.server.wait_until_ready()
        self.ours = self.theirs = self.server.url()
        self.link = pymemcache.Client(("127.0.0.1", self.server.port))

    def count(self):
        return self.link.stats()[b"curr_items"]

    def end(self):
        self.server.close()


class SQLite(Place):
    """A file of our own layout for taskhost, one of Celery's for Celery."""

    def __init__(self, folder):
        self.folder = folder

    def begin(self, number):
        ours, theirs = (os.path.join(self.folder, f"{whose}{number}.db") for whose in ("ours", "theirs"))
        self.ours, self.theirs = "sqlite:///" + ours, "db+sqlite:///" + theirs
        self.questions = {ours: "SELECT count(*) FROM result", theirs: DONE}
        self.link = None

    def count(self):
        for path, question in self.questions.items():
            if os.path.exists(path):
                self.link = self.link or sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)
                try:
                    return self.link.execute(question).fetchone()[0]
                except sqlite3.OperationalError:  # no table yet
                    return 0
        return 0


PLACES = {"postgresql": PostgreSQL, "mysql": MySQL, "redis": Redis, "mongodb": MongoDB, "memcached": InMemcached,
          "sqlite": SQLite}
