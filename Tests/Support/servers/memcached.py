"""A memcached of its own; it forgets everything when it ends."""
import os

from servers.process import Process, StartFailure, free_ports, replies


class Memcached:
    """Keeps its port over `kill` and `start`."""

    def __init__(self, folder, *options):
        self.folder = os.path.join(folder, "memcached")
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_ports(1)[0]
        self.pid_file = os.path.join(self.folder, f"pid-{self.port}")
        self.options = options
        self.process = None

    def url(self):
        return f"cache+memcached://127.0.0.1:{self.port}/"

    def environment(self):
        return {"TASKHOST_TEST_MEMCACHED_URL": self.url()}

    def start(self):
        # As root it wants a user to become; that one exists everywhere.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        words = ["memcached", *user, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "2", *self.options]
        try:
            self.process = Process(words, os.path.join(self.folder, f"log-{self.port}"), pid_file=self.pid_file)
        except FileNotFoundError:
            raise StartFailure("memcached is not installed: apt-get install memcached") from None

    def wait_until_ready(self, give_up=None):
        self.process.wait_until(lambda: replies(self.port, b"version\r\n", b"VERSION"), "memcached", give_up)

    def children(self):
        return [self.process.popen] if self.process else []

    def kill(self):
        if self.process is not None:
            self.process.kill()

    def close(self):
        self.kill()
