"""A MariaDB server of its own, plain and over TLS, as an unprivileged user: the server refuses to be root's."""
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile

from servers.process import Process, StartFailure, free_ports

# Debian keeps the server outside of an ordinary user's PATH.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

# Run at each start: accounts that the grant tables of a new folder lack.
ACCOUNTS = """
CREATE USER IF NOT EXISTS 'tester'@'%';
GRANT ALL ON *.* TO 'tester'@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS celery;
"""


class MariaDB:
    """Its folder and port outlive `kill` and `start`; what it has confirmed does, too (a loss of power aside, unless it
    `syncs`)."""

    def __init__(self, folder, tls=None, syncs=False):
        self.flush = 1 if syncs else 2
        self.tls = tls or os.path.join(folder, "tls")
        # Not below the others' folder, which is ours alone: the server runs as somebody else.
        self.folder = tempfile.mkdtemp(prefix="taskhost-mariadb-")
        self.socket = os.path.join(self.folder, "socket")
        self.pid_file = os.path.join(folder, "mariadb.pid")
        self.port = free_ports(1)[0]
        self.process = None
        self.program = shutil.which("mariadbd", path=PATH)

    def url(self, user="tester", password="", database="celery", host="127.0.0.1"):
        secret = f":{password}" if password else ""
        return f"mysql://{user}{secret}@{host}:{self.port}/{database}"

    def environment(self):
        return {"TASKHOST_TEST_MYSQL_URL": self.url(), "TASKHOST_TEST_MYSQL_SOCKET": self.socket}

    def start(self):
        if not self.program:
            raise StartFailure("MariaDB's server is not installed: apt-get install mariadb-server")
        self.own()
        # One process with one id, beside whatever else starts: the grant tables are made by it, too.
        script = os.path.join(self.folder, "start")
        with open(script, "w") as file:
            file.write(f"""#!/bin/sh -e
cd {shlex.quote(self.folder)}
export TMPDIR={shlex.quote(self.folder)}
if [ ! -e data/ready ]; then
    rm -rf data
    mariadb-install-db --no-defaults --datadir={self.folder}/data --auth-root-authentication-method=normal \\
        --skip-test-db --innodb-buffer-pool-size=16M >/dev/null
    touch data/ready
fi
exec {self.program} --no-defaults --datadir={self.folder}/data --port={self.port} --bind-address=127.0.0.1 \\
    --socket={self.socket} --pid-file={self.folder}/pid --init-file={self.folder}/accounts.sql --skip-name-resolve \\
    --ssl-cert={self.folder}/server.pem --ssl-key={self.folder}/server.key --ssl-ca={self.folder}/ca.pem \\
    --innodb-flush-log-at-trx-commit={self.flush} --innodb-buffer-pool-size=64M --max-connections=60
""")
        os.chmod(script, 0o755)
        self.process = Process(
            self.unprivileged() + [script], os.path.join(self.folder, "log"), pid_file=self.pid_file,
            environment={**os.environ, "PATH": PATH})

    def own(self):
        for name in ("server.pem", "server.key", "ca.pem"):
            shutil.copy(os.path.join(self.tls, name), self.folder)
            os.chmod(os.path.join(self.folder, name), 0o600)
        with open(os.path.join(self.folder, "accounts.sql"), "w") as file:
            file.write(ACCOUNTS)
        if os.geteuid() == 0:
            who = self.user()
            os.chmod(self.folder, 0o755)  # others reach the socket
            for path in [self.folder, *(os.path.join(self.folder, name) for name in
                                        ("server.pem", "server.key", "ca.pem", "accounts.sql"))]:
                os.chown(path, who.pw_uid, who.pw_gid)

    @staticmethod
    def user():
        try:
            return pwd.getpwnam("mysql")
        except KeyError:
            return pwd.getpwnam("nobody")

    def unprivileged(self):
        if os.geteuid() != 0:
            return []
        who = self.user()
        return ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]

    def client(self, *words, database="celery"):
        return subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names", "-h", "127.0.0.1", "-P", str(self.port), "-u",
             "tester", *words, database], check=False, capture_output=True, text=True)

    def answers(self):
        return self.client("-e", "SELECT 1").returncode == 0

    def wait_until_ready(self, give_up=None):
        self.process.wait_until(self.answers, "MariaDB", give_up)

    def sql(self, text, database="celery"):
        """What it says, columns separated by tabs and without headings."""
        done = self.client("-e", text, database=database)
        if done.returncode != 0:
            raise RuntimeError(f"{text}: {done.stderr.strip()}")
        return done.stdout.strip()

    def children(self):
        return [self.process.popen] if self.process else []

    def kill(self):
        """At once and without tidying up."""
        if self.process is not None:
            self.process.kill()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
