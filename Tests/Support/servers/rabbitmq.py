"""One RabbitMQ node with its own epmd, started without Debian's wrapper (which insists on its own user)."""
import glob
import os
import socket
import sys

from servers import root
from servers.process import Process, StartFailure, free_ports, replies, write_script

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
listeners.ssl.1 = 127.0.0.1:{tls_port}
ssl_options.cacertfile = {tls}/ca.pem
ssl_options.certfile = {tls}/server.pem
ssl_options.keyfile = {tls}/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
disk_free_limit.absolute = 1MB
vm_memory_high_watermark.absolute = 1GB
log.file.level = info
"""

ERLANG = ("-noinput -start_epmd false +S {schedulers}:{schedulers} +SDio 4 +sbwt none +sbwtdcpu none +sbwtdio none "
          "-kernel inet_dist_use_interface {{127,0,0,1}}")


def installed(program):
    """The words that run it."""
    found = sorted(glob.glob(f"{root.folder()}/usr/lib/rabbitmq/lib/*/sbin/{program}"))
    if not found:
        raise StartFailure(f"RabbitMQ is not installed in {root.folder() or '/'}: apt-get install rabbitmq-server")
    return [*root.prefix(), found[-1].removeprefix(root.folder())]


class RabbitMQ:
    def __init__(self, folder):
        self.tls = os.path.join(folder, "tls")
        self.folder = os.path.join(folder, "rabbitmq")
        for path in (self.folder, self.path("log"), self.path("home")):
            os.mkdir(path)
        self.pid_file = self.path("pid")
        self.epmd = self.process = None
        self.attempts = self.logged = 0
        self.choose_ports()

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self):
        return self.path(f"log/taskhost-{self.port}@localhost.log")

    def choose_ports(self):
        self.port, self.tls_port, self.epmd_port, self.distribution_port = free_ports(4)
        with open(self.path("rabbitmq.conf"), "w") as file:
            file.write(CONFIGURATION.format(port=self.port, tls_port=self.tls_port, tls=self.tls))
            file.write(os.environ.get("WITH_SERVERS_RABBITMQ_CONF", "") + "\n")
        for name, text in (("env.conf", ""), ("enabled_plugins", "[].\n")):
            with open(self.path(name), "w") as file:
                file.write(text)

    def node_environment(self):
        schedulers = os.environ.get("WITH_SERVERS_SCHEDULERS", "1")
        return {
            "HOME": self.path("home"),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "1",  # makes the script exec the node instead of keeping a shell above it
            "RABBITMQ_CONF_ENV_FILE": self.path("env.conf"),
            "RABBITMQ_CONFIG_FILE": self.path("rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.path("enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": self.path("generated"),
            "RABBITMQ_LOG_BASE": self.path("log"),
            "RABBITMQ_MNESIA_BASE": self.path("mnesia"),
            "RABBITMQ_NODENAME": f"taskhost-{self.port}@localhost",
            "RABBITMQ_PID_FILE": self.path("node-pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG.format(schedulers=schedulers),
        }

    def environment(self):
        settings = self.node_environment()
        for name in ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "RABBITMQ_DIST_PORT", "RABBITMQ_ALLOW_INPUT"):
            del settings[name]  # rabbitmqctl is a node too: it must not take the server's port or schedulers
        return {
            "TASKHOST_TEST_AMQP_URL": f"amqp://guest:guest@127.0.0.1:{self.port}/%2F",
            "TASKHOST_TEST_AMQPS_URL": f"amqps://guest:guest@localhost:{self.tls_port}/%2F",
            "TASKHOST_TEST_RABBITMQCTL": write_script(self.path("rabbitmqctl"), installed("rabbitmqctl"), settings),
        }

    def start(self):
        """The same ports, data and name every time; only the very first start may choose other ports."""
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("RABBITMQ_", "ERL_", "NOTIFY_SOCKET"))}
        environment = {**clean, **self.node_environment()}
        if self.epmd is None or self.epmd.popen.poll() is not None:
            self.epmd = Process([*root.prefix(), "epmd", "-port", str(self.epmd_port), "-address", "127.0.0.1"],
                                self.path("log/epmd.log"), environment)
            self.epmd.wait_until(lambda: listening(self.epmd_port), "epmd")
        self.logged = os.path.getsize(self.log()) if os.path.exists(self.log()) else 0
        self.process = Process(installed("rabbitmq-server"), self.path("log/console.log"), environment,
                               self.pid_file)

    def wait_until_ready(self, give_up=None):
        try:
            self.process.wait_until(self.ready, "RabbitMQ", give_up)
        except StartFailure as failure:
            if self.attempts or not self.port_was_taken():
                raise
            print(f"with-servers: {failure}; once more with other ports", file=sys.stderr)
            self.kill()
            self.epmd.kill()
            self.epmd = None
            self.attempts += 1
            self.choose_ports()
            self.start()
            self.wait_until_ready(give_up)

    def port_was_taken(self):
        with open(self.path("log/console.log"), errors="replace") as file:
            return "eaddrinuse" in file.read()

    def ready(self):
        # Method 10.10 is connection.start: only a node whose listeners are up sends it. Until it has told the end of its
        # start, up to two seconds later on a busy machine, rabbitmqctl says that the node is not running.
        return replies(self.port, b"AMQP\x00\x00\x09\x01", b"\x00\x0a\x00\x0a") and self.has_told_its_start()

    def has_told_its_start(self):
        with open(self.log(), "rb") as file:
            file.seek(self.logged)
            return b"Server startup complete" in file.read()

    def children(self):
        return [one.popen for one in (self.epmd, self.process) if one]

    def kill(self):
        if self.process is not None:
            self.process.kill()

    def close(self):
        self.kill()
        if self.epmd is not None:
            self.epmd.kill()


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        return True
    except OSError:
        return False
