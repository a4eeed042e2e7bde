"""Looking into RabbitMQ from outside, and writing to it what no Celery client would write."""
import json
import uuid

import kombu

from lab import settings
from lab.wait import until


class Queues:
    """One connection for a test; queues it made are deleted with it."""

    def __init__(self):
        self.connection = kombu.Connection(settings.server("AMQP_URL"), heartbeat=0)
        self.channel = self.connection.channel()
        self.made = []

    def new(self, prefix="q", **arguments):
        """A fresh queue like the ones Celery clients declare, with the x-arguments given (max_priority=9)."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        extra = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
        self.channel.exchange_declare(name, "direct", durable=True, auto_delete=False)
        self.channel.queue_declare(name, durable=True, auto_delete=False, arguments=extra or None)
        self.channel.queue_bind(name, name, name)
        self.made += [name, f"{name}.dead"]
        return name

    @property
    def version(self):
        """(4, 3): RabbitMQ's, as it says itself."""
        told = self.connection.connection.server_properties["version"]
        return tuple(int(word) for word in told.split(".")[:2])

    def ready(self, name):
        """Messages that wait, not counting unacknowledged ones; None when there is no such queue."""
        with self.connection.clone() as own, own.channel() as channel:
            try:
                return channel.queue_declare(name, passive=True).message_count
            except own.channel_errors:
                return None

    def get(self, name):
        """Takes one message for good, or None."""
        return self.channel.basic_get(name, no_ack=True)

    def publish(self, queue, body, headers=None, **properties):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        properties = {"content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": 2,
                      **properties}
        message = self.channel.prepare_message(
            body, properties.pop("priority", None), properties.pop("content_type"),
            properties.pop("content_encoding"), headers or {}, properties)
        self.channel.basic_publish(message, exchange="", routing_key=queue)

    def wait_until_empty(self, name, seconds=30.0):
        until(f"{name} to become empty", lambda: self.ready(name) == 0, seconds)

    def close(self):
        for name in self.made:
            self.channel.queue_delete(name)
            if not name.endswith(".dead"):
                self.channel.exchange_delete(name)
        self.connection.release()
