"""What the channels of all our brokers share: they send tasks, give orders and hear the replies.

Taking tasks is left to taskhost: who takes must hold a lease, renew it beside the task that runs, and have nothing of what
the task came to recorded once the lease is lost; Celery's worker asks no broker for that.
"""
from queue import Empty

from kombu.exceptions import ChannelError
from kombu.transport import virtual

from taskhost_client import fields
from taskhost_client.errors import BrokerRefused, BrokerUnavailable


class SendingChannel(virtual.Channel):
    """A broker of queues, without exchanges. Remote control has channels of its own: the exchange of the workers' mailboxes
    for orders, "exchange/routing key" for the replies to one client.

    The transport has `replies`: where each reply queue of this connection has been read to.
    """

    supports_fanout = True
    max_priority = 255

    # As messages name it.
    broker_name = None
    # Where else one may look, for those who want to take tasks.
    advice = None

    def put(self, queues, message):
        """Returns once the message is in all of these queues."""
        raise NotImplementedError

    def put_letter(self, channel, message):
        """An order or a reply."""
        raise NotImplementedError

    def listen(self, channel):
        """From now on what is said there is heard; returns what `replies` keeps."""
        raise NotImplementedError

    def next_letter(self, reply):
        """(number, properties, headers, body) of the next one, or None."""
        raise NotImplementedError

    def prepare_message(self, body, priority=None, content_type=None, content_encoding=None, headers=None,
                        properties=None):
        """As the other transports', but no priority is no property: taskhost reads 0 then."""
        properties = dict(properties or {})
        if priority is not None:
            properties.setdefault("priority", priority)
        return {"body": body, "content-encoding": content_encoding, "content-type": content_type,
                "headers": headers or {}, "properties": properties}

    def basic_publish(self, message, exchange, routing_key, **kwargs):
        """Returns once the broker has the message: a publication that has returned is confirmed."""
        if _is_mailbox(exchange):
            self.put_letter(exchange, message)
        elif _is_reply_exchange(exchange):
            self.put_letter(f"{exchange}/{routing_key}", message)
        else:
            self.put(self._targets(exchange, routing_key, message), message)

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
        raise ChannelError(f'{self.broker_name} has no exchange "{exchange}" (routing key "{routing_key}"). '
                           "Send to the queue itself, or use RabbitMQ")

    def queue_bind(self, queue, exchange=None, routing_key="", arguments=None, **kwargs):
        super().queue_bind(queue, exchange, routing_key, arguments, **kwargs)
        if _is_reply_exchange(exchange) and queue not in self.connection.replies:
            # From now on: what was said before was said to others.
            self.connection.replies[queue] = self.listen(f"{exchange}/{routing_key}")

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
            raise BrokerRefused(
                f'Python takes no messages from {self.broker_name[0].lower()}{self.broker_name[1:]} (queue "{queue}"): it can '
                f"send tasks, follow results and give orders. {self.advice}")

    def _get(self, queue, timeout=None):
        reply = self.connection.replies.get(queue)
        letter = reply and self.next_letter(reply)
        if not letter:
            raise Empty()
        number, properties, headers, body = letter
        properties = fields.parse_properties(properties)
        return {"body": body, "headers": fields.parse_headers(headers),
                "content-type": properties.pop("content_type", None),
                "content-encoding": properties.pop("content_encoding", None),
                "properties": {**properties, "delivery_tag": number,
                               "delivery_info": {"exchange": "", "routing_key": queue}}}

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        """Bindings are this connection's own: `state` has them."""


class SendingTransport(virtual.Transport):
    """`client.hostname` is the address, as the program wrote it."""

    can_parse_url = True
    # Seconds between two looks for a reply.
    polling_interval = 0.01

    connection_errors = (BrokerUnavailable,)
    channel_errors = (ChannelError,)
    # What Celery sends again, as its retry policy says.
    recoverable_connection_errors = (BrokerUnavailable,)
    recoverable_channel_errors = ()

    implements = virtual.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset(["direct", "topic", "fanout"]), heartbeats=False)

    def __init__(self, client, **kwargs):
        super().__init__(client, **kwargs)
        self.replies = {}

    @property
    def default_connection_params(self):
        return {"port": None, "hostname": None}


def _is_mailbox(exchange):
    """Celery's `control_exchange` + ".pidbox", which every worker listens to."""
    return exchange.endswith(".pidbox") and not _is_reply_exchange(exchange)


def _is_reply_exchange(exchange):
    return bool(exchange) and exchange.startswith("reply.") and exchange.endswith(".pidbox")
