"""A Redis server without persistence, plain and over TLS."""
import os

from servers.process import Process, StartFailure, free_ports, replies


class Redis:
    def __init__(self, folder):
        self.tls = os.path.join(folder, "tls")
        self.folder = os.path.join(folder, "redis")
        os.mkdir(self.folder)
        self.pid_file = os.path.join(self.folder, "pid")
        self.port, self.tls_port = free_ports(2)
        self.process = None

    def environment(self):
        return {"TASKHOST_TEST_REDIS_URL": f"redis://127.0.0.1:{self.port}/0",
                "TASKHOST_TEST_REDISS_URL": f"rediss://localhost:{self.tls_port}/0"}

    def start(self):
        words = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
                 "--dir", self.folder, "--daemonize", "no",
                 "--tls-port", str(self.tls_port), "--tls-ca-cert-file", f"{self.tls}/ca.pem",
                 "--tls-cert-file", f"{self.tls}/server.pem", "--tls-key-file", f"{self.tls}/server.key",
                 "--tls-auth-clients", "optional"]
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
