"""A Redis of a test's own that survives SIGKILL with everything it has confirmed (`appendfsync always`)."""
import os

from servers.process import Process, free_ports, replies

# with-servers puts the one it was told to use in front of PATH.
PROGRAM = "redis-server"


class DurableRedis:
    """Keeps its port and its folder over `kill` and `start`."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "durable-redis")
        os.mkdir(self.folder)
        self.port = free_ports(1)[0]
        self.process = None
        self.start()

    def url(self, database=0):
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self):
        self.process = Process(
            [PROGRAM, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "yes",
             "--appendfsync", "always", "--dir", self.folder, "--daemonize", "no"],
            os.path.join(self.folder, "log"))
        # -LOADING while it reads its file: ready only afterwards.
        self.process.wait_until(lambda: replies(self.port, b"PING\r\n", b"+PONG"), "Redis")

    def kill(self):
        """SIGKILL, and gone when this returns."""
        if self.process is not None:
            self.process.kill()

    close = kill
