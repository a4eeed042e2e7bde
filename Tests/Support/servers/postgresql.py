"""A PostgreSQL cluster of its own, plain and over TLS, as an unprivileged user: the server refuses to be root's."""
import glob
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile

from servers.process import Process, StartFailure, free_ports

# Debian keeps the server's programs outside of PATH.
FOLDERS = "/usr/lib/postgresql/*/bin"


class PostgreSQL:
    """Its folder and port outlive `kill` and `start`; what it has confirmed does, too (a loss of power aside, unless it `syncs`)."""

    def __init__(self, folder, tls=None, syncs=False):
        self.syncs = "on" if syncs else "off"
        self.tls = tls or os.path.join(folder, "tls")
        # Not below the others' folder, which is ours alone: the server runs as somebody else.
        self.folder = tempfile.mkdtemp(prefix="taskhost-postgresql-")
        self.data = os.path.join(self.folder, "data")
        self.pid_file = os.path.join(folder, "postgresql.pid")
        self.port = free_ports(1)[0]
        self.process = None
        found = sorted(glob.glob(FOLDERS))
        self.programs = found[-1] if found else ""

    def url(self, user="postgres", password="", database="postgres"):
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def environment(self):
        return {"TASKHOST_TEST_POSTGRESQL_URL": self.url()}

    def start(self):
        if not self.programs:
            raise StartFailure("PostgreSQL's server is not installed: apt-get install postgresql")
        self.own()
        # One process with one id, beside whatever else starts: the cluster is made by it, too.
        script = os.path.join(self.folder, "start")
        with open(script, "w") as file:
            file.write(f"""#!/bin/sh -e
cd {shlex.quote(self.folder)}
if [ ! -e data/ready ]; then
    rm -rf data
    {self.programs}/initdb -D data -U postgres -A trust --no-sync --encoding=UTF8 --locale=C >/dev/null
    printf 'host all secret 127.0.0.1/32 scram-sha-256\\nhostssl all onlytls 127.0.0.1/32 trust\\n' > data/hba
    printf 'host all onlytls 127.0.0.1/32 reject\\nhost all all 127.0.0.1/32 trust\\n' >> data/hba
    cp data/hba data/pg_hba.conf
    touch data/ready
fi
exec {self.programs}/postgres -D data -p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= \\
    -c fsync={self.syncs} -c max_connections=60 -c ssl=on -c ssl_cert_file={self.folder}/server.pem \\
    -c ssl_key_file={self.folder}/server.key
""")
        os.chmod(script, 0o755)
        self.process = Process(self.unprivileged() + [script], os.path.join(self.folder, "log"), pid_file=self.pid_file)

    def own(self):
        for name in ("server.pem", "server.key"):
            shutil.copy(os.path.join(self.tls, name), self.folder)
            os.chmod(os.path.join(self.folder, name), 0o600)
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres" if self.has_user("postgres") else "nobody")
            for path in [self.folder, *(os.path.join(self.folder, name) for name in ("server.pem", "server.key"))]:
                os.chown(path, who.pw_uid, who.pw_gid)

    @staticmethod
    def has_user(name):
        try:
            return bool(pwd.getpwnam(name))
        except KeyError:
            return False

    def unprivileged(self):
        if os.geteuid() != 0:
            return []
        who = pwd.getpwnam("postgres" if self.has_user("postgres") else "nobody")
        return ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]

    def answers(self):
        return subprocess.run(
            [f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0

    def wait_until_ready(self, give_up=None):
        self.process.wait_until(self.answers, "PostgreSQL", give_up)

    def sql(self, text, database="postgres"):
        """What it says, unaligned and without headings."""
        return subprocess.run(
            [f"{self.programs}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database=database), "-c", text],
            check=True, capture_output=True, text=True).stdout.strip()

    def children(self):
        return [self.process.popen] if self.process else []

    def kill(self):
        """At once and without tidying up, but with its own children: they have sessions of their own."""
        if self.process is None:
            return
        if self.process.popen.poll() is None:
            self.process.popen.send_signal(signal.SIGQUIT)
            try:
                self.process.popen.wait(10)
            except subprocess.TimeoutExpired:
                pass
        self.process.kill()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
