"""Addresses that begin with `taskhost+`: which transport and which result backend, the rest of the address says."""
from taskhost_client.channel import SendingTransport


class Transport(SendingTransport):
    """Never made: one of the others is, in its place."""

    def __new__(cls, client, **kwargs):
        # Each needs a driver of its own, which a program may not have.
        if _is_postgresql(client.hostname):
            from taskhost_client.postgresql.transport import Transport as Chosen
        else:
            from taskhost_client.file.transport import Transport as Chosen
        return Chosen(client, **kwargs)


def Backend(app=None, url=None, **kwargs):
    """As Celery makes a result backend."""
    if _is_postgresql(url):
        from taskhost_client.postgresql.backend import PostgreSQLBackend as Chosen
    else:
        from taskhost_client.file.backend import FileBackend as Chosen
    return Chosen(app=app, url=url, **kwargs)


def _is_postgresql(url):
    return (url or "").removeprefix("taskhost+").startswith("postgres")
