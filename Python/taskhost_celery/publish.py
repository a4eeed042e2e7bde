"""What a task sends goes through the host: Celery and kombu prepare each message as ever, and hand it over here.

The app's pool of producers is replaced by one whose channel has no connection: its `basic_publish` gives the finished
message (exchange, routing key, headers, properties, encoded body) to `_taskhost.publish`. Routers, signals, serializers
and canvases are Celery's own, and a child needs no way to the broker. `app.control` and `app.connection()` are not
concerned: they go by the app's own connection. So does what a thread sends that belongs to no running task (one that
a task has left behind, one of the app's own pools): it must not count as the next task's.
"""

import base64
import json
from collections import namedtuple

import _taskhost
from kombu import Producer, Queue, pools
from kombu.exceptions import OperationalError
from kombu.utils.functional import lazy

from . import attempt, process

PROPERTIES = ("correlation_id", "reply_to", "priority", "delivery_mode", "expiration", "message_id", "timestamp", "type",
              "user_id", "app_id")
# Bytes of a message as text that the runner takes whatever else it has to hold.
LONGEST_CERTAIN = 16 << 20
Prepared = namedtuple("Prepared", "body properties headers")


def install(app):
    """Once, in the zygote. A child that closes its pools after a fork gets them anew from here, too."""
    amqp = type(app.amqp)
    if not issubclass(amqp, HostedSending):
        app.amqp.__class__ = type(amqp.__name__, (HostedSending, amqp), {})
    # Commands to workers are no messages of a task: the host does not send them.
    app.control.mailbox._producer_pool = lazy(own_pool, app)


def own_pool(app):
    """Of producers with a connection of the app's own."""
    return pools.producers[app.connection_for_write()]


class HostedSending:
    """A mixin for `app.amqp`."""

    @property
    def producer_pool(self):
        found = self.__dict__.get("_hosted_pool")
        if found is None:
            found = self.__dict__["_hosted_pool"] = HostPool(self.app)
        return found


class HostPool:
    """As much of a kombu pool as senders use."""

    limit = None

    def __init__(self, app):
        self.app = app
        # Never connected: it is asked for the kind of transport and for its errors.
        self.connection = app.connection_for_write()
        self.connections = self
        self.channel = HostChannel(self.connection)

    def acquire(self, block=False, timeout=None):
        if process.forks and not attempt.is_ours():
            return own_pool(self.app).acquire(block=block, timeout=timeout)
        return HostProducer(self.channel, self.connection)

    def force_close_all(self, *args, **kwargs):
        """Nothing is open."""


class HostProducer(Producer):
    def __init__(self, channel, connection):
        super().__init__(channel, auto_declare=False)
        self.__connection__ = connection

    def publish(self, body, *args, **kwargs):
        # The host tries again by itself, for as long as it takes.
        kwargs["retry"] = False
        # Protocol 1 has in its body what later ones have in headers.
        self.call = body if isinstance(body, dict) and "task" in body else kwargs.get("headers") or {}
        return super().publish(body, *args, **kwargs)

    def _publish(self, body, priority, content_type, content_encoding, headers, properties, routing_key, mandatory,
                 immediate, exchange, declare, *others, **more):
        reply_to = properties.get("reply_to")
        if isinstance(reply_to, Queue):
            properties["reply_to"] = reply_to.name
        queue = next((one for one in declare or () if isinstance(one, Queue) and one.name == routing_key), None)
        message = self.channel.prepare_message(body, priority, content_type, content_encoding, headers, properties)
        self.channel.hand_over(message, exchange, routing_key, queue, self.call)

    def release(self):
        """It holds nothing."""

    close = release


class HostChannel:
    """Where events and other producers of kombu's end that are made over our channel."""

    is_open = True

    def __init__(self, client):
        self.connection = self
        self.client = client

    def prepare_message(self, body, priority=None, content_type=None, content_encoding=None, headers=None,
                        properties=None):
        properties = dict(properties or {}, priority=priority)
        chosen = {name: properties[name] for name in PROPERTIES if properties.get(name) not in (None, "")}
        chosen.update(content_type=content_type, content_encoding=content_encoding)
        return Prepared(body, chosen, headers or {})

    def basic_publish(self, message, exchange="", routing_key="", **options):
        self.hand_over(message, exchange, routing_key, None, {})

    def hand_over(self, message, exchange, routing_key, queue, call):
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        document = {"exchange": exchange or "", "routing_key": routing_key or "", "headers": message.headers,
                    "properties": message.properties}
        if queue is not None and queue.queue_arguments:
            document["queue"] = {"name": queue.name, "arguments": queue.queue_arguments}
        # A header that JSON has no form for goes as its text.
        text = json.dumps(document, default=str)
        # Nothing in base64 has to be escaped: a large body need not be looked through for it.
        text = f'{text[:-1]}, "body": "{base64.b64encode(body).decode("ascii")}"}}'
        if not attempt.keep_back(call, text):
            send(text)

    def exchange_declare(self, *args, **kwargs):
        """The host declares what it publishes to."""

    queue_declare = queue_bind = exchange_bind = exchange_declare


def send(text):
    if not _taskhost.publish(text):
        if len(text) > LONGEST_CERTAIN:
            raise OperationalError(
                f"the message to be sent has {len(text) * 3 // 4 >> 20} MiB, more than a task can send: about 24. Put what "
                "is large into a store or a file, and send where it lies")
        raise OperationalError(
            "a task is sent by way of the task that runs, and none does: send it within a task, or by a connection of "
            "your own (app.connection_for_write())")
