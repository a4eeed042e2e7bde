"""The kombu transport over taskhost's SQLite file."""
from taskhost_client import __version__
from taskhost_client.channel import SendingChannel, SendingTransport
from taskhost_client.file import address, broadcasts, file, messages


class ReplyQueue:
    """Where a client finds the replies to its orders: a channel, and how far it has been read."""

    def __init__(self, channel, seen):
        self.channel = channel
        self.seen = seen


class Channel(SendingChannel):
    broker_name = "The embedded broker"
    advice = ("For workers in Python use RabbitMQ or Redis; for results name the file as result_backend; "
              "for events: taskhost events --local")

    @property
    def file(self):
        return self.connection.file

    def put(self, queues, message):
        inserts = [messages.new(queue, message) for queue in queues]

        def insert(db):
            for one in inserts:
                one(db)

        self.file.announced_write(insert)

    def put_letter(self, channel, message):
        self.file.announced_write(broadcasts.new(channel, message))

    def listen(self, channel):
        return ReplyQueue(channel, self.file.read(broadcasts.last_id))

    def next_letter(self, reply):
        row = self.file.read(lambda db: broadcasts.next_after(db, reply.seen, reply.channel))
        if row:
            reply.seen = row[0]
        return row

    def _size(self, queue):
        return self.file.read(lambda db: messages.waiting(db, queue))

    def _purge(self, queue):
        return self.file.announced_write(lambda db: messages.purge(db, queue))


class Transport(SendingTransport):
    Channel = Channel

    driver_type = "taskhost-file"
    driver_name = "sqlite3"

    def __init__(self, client, **kwargs):
        super().__init__(client, **kwargs)
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
