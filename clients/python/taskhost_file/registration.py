"""Registers the transport with kombu, which finds transports in a table of its own only.

With its serializers kombu imports everything named in the entry points `kombu.serializers`. Celery imports them before it
looks for a transport; a program that uses kombu without Celery imports this module itself. It must stay small and must not
fail: an error here would be one of every program that uses Celery.
"""
from kombu.transport import TRANSPORT_ALIASES

# A scheme that kombu itself, or another package, has is left to it.
TRANSPORT_ALIASES.setdefault("sqlite", "taskhost_file.transport:Transport")
# For addresses that say whose file it is: taskhost+sqlite:///path.
TRANSPORT_ALIASES.setdefault("taskhost", "taskhost_file.transport:Transport")

# What kombu registers under the name of the entry point: neither an encoder nor a decoder.
NO_SERIALIZER = (None, None, "application/x-taskhost-file", "utf-8")
