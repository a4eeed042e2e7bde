"""The kombu transport over PostgreSQL."""
from collections import deque

import psycopg2

from taskhost_client.channel import SendingChannel, SendingTransport
from taskhost_client.postgresql import address, letters, messages
from taskhost_client.postgresql.link import Link


class ReplyQueue:
    """Where a client finds the replies to its orders: a channel, and what has come."""

    def __init__(self, channel):
        self.channel = channel
        self.come = deque()


class Channel(SendingChannel):
    broker_name = "The PostgreSQL broker"
    advice = "For workers in Python use RabbitMQ or Redis; for events: taskhost events --local"

    @property
    def link(self):
        return self.connection.link

    def put(self, queues, message):
        if queues:
            messages.insert(self.link, queues, message)

    def put_letter(self, channel, message):
        letters.send(self.link, channel, message)

    def listen(self, channel):
        self.link.listen(address.channel(channel))
        return ReplyQueue(channel)

    def next_letter(self, reply):
        self.connection.hear()
        return reply.come.popleft() if reply.come else None

    def queue_delete(self, queue, if_unused=False, if_empty=False, **kwargs):
        reply = self.connection.replies.get(queue)
        super().queue_delete(queue, if_unused, if_empty, **kwargs)
        if reply is not None:
            self.link.unlisten(address.channel(reply.channel))

    def _size(self, queue):
        return messages.waiting(self.link, queue)

    def _purge(self, queue):
        return messages.purge(self.link, queue)


class Transport(SendingTransport):
    Channel = Channel

    driver_type = "taskhost-postgresql"
    driver_name = "psycopg2"

    def __init__(self, client, **kwargs):
        super().__init__(client, **kwargs)
        self.link = Link(address.parse(client.hostname))
        self._numbers = 0

    def establish_connection(self):
        self.link.rows("SELECT 1")
        return super().establish_connection()

    def close_connection(self, connection):
        super().close_connection(connection)
        self.link.close()

    def hear(self):
        """Passes what has come to the reply queues."""
        for _, payload in self.link.notices():
            letter = letters.read(self.link, payload)
            for reply in self.replies.values():
                if letter and letter[0] == reply.channel:
                    self._numbers += 1
                    reply.come.append((self._numbers, *letter[1:]))

    def driver_version(self):
        return psycopg2.__version__

    def as_uri(self, uri, include_password=False, mask="**"):
        return uri if include_password else address.shown(uri, mask)
