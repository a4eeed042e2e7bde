"""A TCP proxy of a test's own in front of a server: its link can be cut and mended without touching the server.

Two ways to die: "refused" resets what is connected and refuses the rest, as when a server's process is gone; "silent"
lets nothing through any more, as when a cable is pulled: only who asks for signs of life notices.
"""
import socket
import struct
import threading
from urllib.parse import urlsplit, urlunsplit

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Proxy:
    def __init__(self, url, **parameters):
        """`parameters` are added to the URL of the way through the proxy."""
        parts = urlsplit(url)
        self.server = (parts.hostname, parts.port)
        self.flowing = threading.Event()
        self.flowing.set()
        self.lock = threading.Lock()
        self.pairs = set()
        self.closed = False
        self.port = 0
        self.listen()
        place = parts.netloc.rpartition("@")
        query = "&".join([parts.query] * bool(parts.query) + [f"{key}={value}" for key, value in parameters.items()])
        self.url = urlunsplit(parts._replace(netloc=f"{place[0]}{place[1]}127.0.0.1:{self.port}", query=query))

    def cut(self, how):
        self.flowing.clear()
        if how == "refused":
            self.close_listener()
            self.reset_all()

    def mend(self):
        """New connections get through; those of before are gone for both sides."""
        self.reset_all()
        self.flowing.set()
        if self.listener is None:
            self.listen()

    def close(self):
        self.closed = True
        self.close_listener()
        self.reset_all()
        self.flowing.set()

    def listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close_listener(self):
        listener, self.listener = self.listener, None
        if listener is not None:
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
            except OSError:
                pass  # it was not waiting
            listener.close()

    def accept(self, listener):
        while not self.closed:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self.connect, args=(near,), daemon=True).start()

    def connect(self, near):
        self.flowing.wait()
        try:
            far = socket.create_connection(self.server)
        except OSError:
            return reset(near)
        pair = (near, far)
        with self.lock:
            self.pairs.add(pair)
        for source, target in (pair, pair[::-1]):
            threading.Thread(target=self.pump, args=(source, target, pair), daemon=True).start()

    def pump(self, source, target, pair):
        try:
            while data := source.recv(65536):
                self.flowing.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self.forget(pair)

    def reset_all(self):
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self.forget(pair)

    def forget(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for one in pair:
            reset(one)


def reset(one):
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.shutdown(socket.SHUT_RDWR)  # wakes a thread in recv()
    except OSError:
        pass  # it was closed before
    one.close()
