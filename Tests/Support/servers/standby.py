"""A standby of a PostgreSQL server, which becomes the primary when told."""
import os
import subprocess

from servers.postgresql import PostgreSQL


class Standby(PostgreSQL):
    """`primary` runs. From then on the primary confirms nothing that the standby has not written down."""

    def __init__(self, primary, folder):
        super().__init__(folder, primary.tls)
        self.pid_file = os.path.join(folder, "standby.pid")
        self.primary = primary

    def start(self):
        if not os.path.exists(os.path.join(self.data, "ready")):
            self.copy()
        super().start()

    def copy(self):
        self.own()
        with open(os.path.join(self.primary.data, "pg_hba.conf"), "a") as file:
            file.write("host replication all 127.0.0.1/32 trust\n")
        self.primary.sql("SELECT pg_reload_conf()")
        subprocess.run(
            [*self.unprivileged(), f"{self.programs}/pg_basebackup", "-h", "127.0.0.1", "-p", str(self.primary.port), "-U",
             "postgres", "-D", self.data, "-R", "-c", "fast", "-X", "stream"],
            cwd=self.folder, check=True, capture_output=True)

    def follow(self):
        """Once it is ready."""
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.sql("SELECT pg_reload_conf()")

    def promote(self):
        self.sql("SELECT pg_promote()")
