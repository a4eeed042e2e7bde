"""Celery's own database backend, for an address as the broker has it."""
from celery.backends.database import DatabaseBackend

from taskhost_client.postgresql import address


class PostgreSQLBackend(DatabaseBackend):
    """Where Celery writes `db+postgresql://…`, `postgresql://…` does, too."""

    def __init__(self, dburi=None, engine_options=None, url=None, **kwargs):
        place = dburi or url
        if place:
            place = address.sqlalchemy(place)
        super().__init__(dburi=place, engine_options=engine_options, url=place, **kwargs)
