"""A Redis server without persistence."""
import os

from servers.process import Process, StartFailure, free_ports, replies


class Redis:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "redis")
        os.mkdir(self.folder)
        self.pid_file = os.path.join(self.folder, "pid")
        [self.port] = free_ports(1)
        self.process = None

    def environment(self):
        return {"TASKHOST_TEST_REDIS_URL": f"redis://127.0.0.1:{self.port}/0"}

    def start(self):
        words = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
                 "--dir", self.folder, "--daemonize", "no"]
        try:
            self.process = Process(words, os.path.join(self.folder, "redis.log"), pid_file=self.pid_file)
        except FileNotFoundError:
            raise StartFailure("redis-server is not installed: apt-get install redis-server") from None

    def wait_until_ready(self, give_up=None):
        self.process.wait_until(lambda: replies(self.port, b"PING\r\n", b"+PONG"), "Redis", give_up)

    def children(self):
        return [self.process.popen] if self.process else []

    def kill(self):
        if self.process is not None:
            self.process.kill()

    def close(self):
        self.kill()
