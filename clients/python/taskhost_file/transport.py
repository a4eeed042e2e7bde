"""The kombu transport: tasks and remote control from Python's clients into the file.

It sends. Taking tasks from the file is left to taskhost: who takes must hold a lease, renew it beside the task that runs,
and have nothing of what the task came to recorded once the lease is lost; Celery's worker asks no broker for that.
"""
from queue import Empty

from kombu.exceptions import ChannelError
from kombu.transport import virtual

from taskhost_file import __version__, address, broadcasts, fields, file, messages
from taskhost_file.errors import FileRefused, FileUnavailable


class ReplyQueue:
    """Where a client finds the replies to its orders: a channel, and how far it has been read."""

    def __init__(self, channel, seen):
        self.channel = channel
        self.seen = seen


class Channel(virtual.Channel):
    supports_fanout = True
    max_priority = 255

    @property
    def file(self):
        return self.connection.file

    def prepare_message(self, body, priority=None, content_type=None, content_encoding=None, headers=None,
                        properties=None):
        """As the other transports', but no priority is no property: taskhost reads 0 then."""
        properties = dict(properties or {})
        if priority is not None:
            properties.setdefault("priority", priority)
        return {"body": body, "content-encoding": content_encoding, "content-type": content_type,
                "headers": headers or {}, "properties": properties}

    def basic_publish(self, message, exchange, routing_key, **kwargs):
        """Returns once the message is in the file: a publication that has returned is confirmed."""
        if _is_mailbox(exchange):
            insert = broadcasts.new(exchange, message)
        elif _is_reply_exchange(exchange):
            insert = broadcasts.new(f"{exchange}/{routing_key}", message)
        else:
            inserts = [messages.new(queue, message) for queue in self._targets(exchange, routing_key, message)]

            def insert(db):
                for one in inserts:
                    one(db)

        self.file.announced_write(insert)

    def _targets(self, exchange, routing_key, message):
        """The queues a message goes to."""
        if not exchange:
            return [routing_key]
        queues = sorted(self._lookup(exchange, routing_key))
        if queues:
            return queues
        if exchange == routing_key:
            # The direct exchange that Celery gives to each queue.
            return [routing_key]
        if "task" not in message["headers"] and exchange in self.state.exchanges:
            # Events: nobody can be bound to them, and as over AMQP they end here.
            return []
        raise ChannelError(f'The embedded broker has no exchange "{exchange}" (routing key "{routing_key}"). '
                           "Send to the queue itself, or use RabbitMQ")

    def queue_bind(self, queue, exchange=None, routing_key="", arguments=None, **kwargs):
        super().queue_bind(queue, exchange, routing_key, arguments, **kwargs)
        if _is_reply_exchange(exchange) and queue not in self.connection.replies:
            # From now on: what was said before was said to others.
            self.connection.replies[queue] = ReplyQueue(f"{exchange}/{routing_key}", self.file.read(broadcasts.last_id))

    def queue_delete(self, queue, if_unused=False, if_empty=False, **kwargs):
        if self.connection.replies.pop(queue, None) is None:
            return super().queue_delete(queue, if_unused, if_empty, **kwargs)
        for exchange, routing_key, arguments in list(self.state.queue_bindings(queue)):
            self.queue_unbind(queue, exchange, routing_key, arguments)
        self.state.queue_bindings_delete(queue)

    def basic_consume(self, queue, no_ack, callback, consumer_tag, **kwargs):
        self._refuse_tasks(queue)
        return super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)

    def basic_get(self, queue, no_ack=False, **kwargs):
        self._refuse_tasks(queue)
        return super().basic_get(queue, no_ack=no_ack, **kwargs)

    def _refuse_tasks(self, queue):
        if queue not in self.connection.replies:
            raise FileRefused(
                f'Python takes no messages from the embedded broker (queue "{queue}"): it can send tasks, follow results '
                "and give orders. For workers in Python use RabbitMQ or Redis; for results name the file as result_backend; "
                "for events: taskhost events --local")

    def _get(self, queue, timeout=None):
        reply = self.connection.replies.get(queue)
        row = reply and self.file.read(lambda db: broadcasts.next_after(db, reply.seen, reply.channel))
        if not row:
            raise Empty()
        reply.seen, properties, headers, body = row
        properties = fields.parse_properties(properties)
        return {"body": body, "headers": fields.parse_headers(headers),
                "content-type": properties.pop("content_type", None),
                "content-encoding": properties.pop("content_encoding", None),
                "properties": {**properties, "delivery_tag": reply.seen,
                               "delivery_info": {"exchange": "", "routing_key": queue}}}

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        """Bindings are this connection's own: `state` has them."""

    def _size(self, queue):
        return self.file.read(lambda db: messages.waiting(db, queue))

    def _purge(self, queue):
        return self.file.announced_write(lambda db: messages.purge(db, queue))


class Transport(virtual.Transport):
    """`client.hostname` is the address, as the program wrote it."""

    Channel = Channel

    can_parse_url = True
    driver_type = "taskhost-file"
    driver_name = "sqlite3"
    # Seconds between two looks for a reply.
    polling_interval = 0.01

    connection_errors = (FileUnavailable,)
    channel_errors = (ChannelError,)
    # What Celery sends again, as its retry policy says.
    recoverable_connection_errors = (FileUnavailable,)
    recoverable_channel_errors = ()

    implements = virtual.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset(["direct", "topic", "fanout"]), heartbeats=False)

    def __init__(self, client, **kwargs):
        super().__init__(client, **kwargs)
        self.replies = {}
        self._address = address.parse(client.hostname or "sqlite://")

    @property
    def file(self):
        return file.opened(self._address)

    def establish_connection(self):
        file.opened(self._address)
        return super().establish_connection()

    def driver_version(self):
        return __version__

    def as_uri(self, uri, include_password=False, mask="**"):
        return uri

    @property
    def default_connection_params(self):
        return {"port": None, "hostname": None}


def _is_mailbox(exchange):
    """Celery's `control_exchange` + ".pidbox", which every worker listens to."""
    return exchange.endswith(".pidbox") and not _is_reply_exchange(exchange)


def _is_reply_exchange(exchange):
    return bool(exchange) and exchange.startswith("reply.") and exchange.endswith(".pidbox")
