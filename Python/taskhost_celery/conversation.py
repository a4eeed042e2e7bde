"""While a worker's first zygote loads: it says what the app is, and hears what the worker has made of that.

A later zygote (after HUP, or a death) is started with everything known, and has nobody to talk to. The socket goes on as
that of the process that hears of the host's signals (listener.py), if there is one.
"""
import json
import os
import socket

VARIABLE = "TASKHOST_PYTHON_TALK"
END = b"\0\0"


class Conversation:
    def __init__(self):
        number = os.environ.pop(VARIABLE, None)
        self.socket = None
        if number:
            # Not for what the app starts while it is imported.
            os.set_inheritable(int(number), False)
            self.socket = socket.socket(fileno=int(number))

    def tell(self, document):
        """The last that is said."""
        self._say(document)
        self.end()

    def ask(self, document):
        """Variables that hold from now on; none where there is nobody to talk to."""
        self._say(document)
        heard = b""
        while self.socket and not heard.endswith(END) and (more := self.socket.recv(65536)):
            heard += more
        return dict(pair.split("=", 1) for pair in os.fsdecode(heard).split("\0") if pair)

    def say(self, document):
        self.socket.sendall(json.dumps(document).encode() + b"\n")

    def _say(self, document):
        if self.socket:
            self.say(document())

    def end(self):
        if self.socket:
            self.socket.close()
            self.socket = None
