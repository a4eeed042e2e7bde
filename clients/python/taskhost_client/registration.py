"""Registers the transports with kombu, which finds transports in a table of its own only.

With its serializers kombu imports everything named in the entry points `kombu.serializers`. Celery imports them before it
looks for a transport; a program that uses kombu without Celery imports this module itself. It must stay small and must not
fail: an error here would be one of every program that uses Celery.
"""
from kombu.transport import TRANSPORT_ALIASES

FILE = "taskhost_client.file.transport:Transport"
POSTGRESQL = "taskhost_client.postgresql.transport:Transport"

for scheme, transport in [("sqlite", FILE), ("postgresql", POSTGRESQL), ("postgres", POSTGRESQL)]:
    # A scheme that kombu itself, or another package, has is left to it.
    TRANSPORT_ALIASES.setdefault(scheme, transport)
# For addresses that say whose broker it is: taskhost+sqlite:///path, taskhost+postgresql://host/database.
TRANSPORT_ALIASES.setdefault("taskhost", "taskhost_client.named:Transport")

# What kombu registers under the name of the entry point: neither an encoder nor a decoder.
NO_SERIALIZER = (None, None, "application/x-taskhost-client", "utf-8")
