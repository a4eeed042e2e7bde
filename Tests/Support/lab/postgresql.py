"""Databases of tests' own in the PostgreSQL that the tests were started beside."""
import subprocess
import uuid

from lab import settings


def sql(url, text):
    """What psql says, unaligned and without headings."""
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", url, "-f", "-"], input=text, check=True,
                          capture_output=True, text=True).stdout.strip()


class Database:
    """Empty at first. `broker` and `backend` are its address."""

    def __init__(self):
        self.name = f"d{uuid.uuid4().hex}"
        self.server = settings.server("POSTGRESQL_URL")
        sql(self.server, f"CREATE DATABASE {self.name}")
        self.broker = self.backend = self.server.rsplit("/", 1)[0] + "/" + self.name

    def sql(self, text):
        return sql(self.broker, text)

    def close(self):
        sql(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")
