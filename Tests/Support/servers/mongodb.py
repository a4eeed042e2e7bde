"""A MongoDB of its own: the real server that TASKHOST_TEST_MONGOD names, else a stand-in that speaks its protocol.

The stand-in is the Python package nx-27017, in the journeys' environment: no Debian package and no package of Python's
brings a mongod.
"""
import os
import subprocess

from servers.process import Process, StartFailure, free_ports

HERE = os.path.dirname(os.path.abspath(__file__))
# OP_MSG with {ping: 1, $db: "admin"}.
PING = bytes.fromhex("33000000 01000000 00000000 dd070000 00000000 00 1e000000 1070696e670001000000 "
                     "022464620006000000 61646d696e00 00".replace(" ", ""))


class MongoDB:
    """Its folder and port outlive `kill` and `start`, and what it has confirmed does, too."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "mongodb")
        os.makedirs(os.path.join(self.folder, "data"), exist_ok=True)
        self.pid_file = os.path.join(self.folder, "pid")
        self.port = free_ports(1)[0]
        self.process = None
        self.is_real = bool(os.environ.get("TASKHOST_TEST_MONGOD"))

    def url(self, database=""):
        return f"mongodb://127.0.0.1:{self.port}/{database}"

    def environment(self):
        return {"TASKHOST_TEST_MONGODB_URL": self.url()}

    def words(self):
        if self.is_real:
            return [os.environ["TASKHOST_TEST_MONGOD"], "--bind_ip", "127.0.0.1", "--port", str(self.port),
                    "--dbpath", os.path.join(self.folder, "data"), "--nounixsocket"]
        made = subprocess.run([os.path.join(HERE, "..", "venv")], stdout=subprocess.PIPE, text=True)
        if made.returncode != 0:
            raise StartFailure("the environment of the journeys cannot be made: see above")
        return [os.path.join(os.path.dirname(made.stdout.strip()), "nx-27017"), "--host", "127.0.0.1",
                "-p", str(self.port), "--db", os.path.join(self.folder, "data", "nx.db"),
                "--log-file", os.path.join(self.folder, "nx.log"), "--pid-file", os.path.join(self.folder, "nx.pid")]

    def start(self):
        self.process = Process(self.words(), os.path.join(self.folder, "log"), pid_file=self.pid_file)

    def wait_until_ready(self, give_up=None):
        self.process.wait_until(self.answers, "MongoDB", give_up)

    def answers(self):
        import socket
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as link:
                link.sendall(PING)
                return b"ok" in link.recv(4096)
        except OSError:
            return False

    def children(self):
        return [self.process.popen] if self.process else []

    def kill(self):
        if self.process is not None:
            self.process.kill()

    def close(self):
        self.kill()
