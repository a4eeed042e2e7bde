"""A TCP proxy before RabbitMQ that can take a client's consumers away without its noticing."""
import socket
import struct
import threading
import urllib.parse

METHOD, FRAME_END = 1, b"\xce"
CONSUME_OK, CANCEL = (60, 21), (60, 30)


class Wedge:
    def __init__(self, url):
        self.parts = urllib.parse.urlsplit(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.links = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        """The broker's address by way of here."""
        user = f"{self.parts.username}:{self.parts.password}@" if self.parts.username else ""
        place = f"{user}127.0.0.1:{self.listener.getsockname()[1]}"
        return urllib.parse.urlunsplit(self.parts._replace(netloc=place))

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.parts.hostname, self.parts.port))
            link = Link(client, server)
            self.links.append(link)
            for work in (link.forward, link.backward):
                threading.Thread(target=work, daemon=True).start()

    def take_consumers_away(self):
        """The broker forgets every consumer there is now; its client goes on waiting. How many there were."""
        return sum(link.cancel() for link in list(self.links))

    def close(self):
        self.listener.close()
        for link in self.links:
            link.close()


class Link:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.consumers = set()
        self.lock = threading.Lock()

    def forward(self):
        """Client to server: whole frames, so that one of ours fits between them."""
        try:
            self.server.sendall(exactly(self.client, 8))
            while True:
                _, _, raw = frame(self.client)
                with self.lock:
                    self.server.sendall(raw)
        except OSError:
            self.close()

    def backward(self):
        try:
            while True:
                kind, channel, raw = frame(self.server)
                if kind == METHOD and struct.unpack_from("!HH", raw, 7) == CONSUME_OK:
                    self.consumers.add((channel, raw[12:12 + raw[11]]))
                self.client.sendall(raw)
        except OSError:
            self.close()

    def cancel(self):
        for channel, tag in self.consumers:
            payload = struct.pack("!HHB", *CANCEL, len(tag)) + tag + b"\1"  # no-wait: nobody is told
            with self.lock:
                self.server.sendall(struct.pack("!BHI", METHOD, channel, len(payload)) + payload + FRAME_END)
        count = len(self.consumers)
        self.consumers.clear()
        return count

    def close(self):
        self.consumers.clear()
        for one in (self.client, self.server):
            one.close()


def frame(source):
    head = exactly(source, 7)
    kind, channel, size = struct.unpack("!BHI", head)
    return kind, channel, head + exactly(source, size + 1)


def exactly(source, count):
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data
