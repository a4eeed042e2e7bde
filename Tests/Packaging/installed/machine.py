"""A Debian of its own, booted with systemd in a container of systemd-nspawn. What is written in it is gone when it stops.

It shares the network of this machine, for apt; nothing in it listens but the worker's socket and loopback.
"""
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive", "TERM": "dumb"}
BOOT_LIMIT_S = 60


class Machine:
    def __init__(self, root, shared, seen=()):
        """`shared` is seen at /shared, what is `seen` at its own place; both read only."""
        self.log = tempfile.NamedTemporaryFile("w+", prefix="machine-", suffix=".log")
        self.container = subprocess.Popen(
            ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--boot", "--volatile=overlay",
             f"--bind-ro={shared}:/shared", *(f"--bind-ro={path}" for path in seen), "-D", str(root), f"--machine=taskhost-{os.getpid()}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.leader = self.wait("systemd is up", self.booted, BOOT_LIMIT_S)
        # The base root keeps services down while it is made; this one is a machine.
        self.run("rm -f /usr/sbin/policy-rc.d")

    def booted(self):
        if self.container.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended: {Path(self.log.name).read_text()[-2000:]}")
        children = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children").read_text().split()
        if not children:
            return None
        self.leader = int(children[0])
        said = self.run("systemctl is-system-running", check=False).stdout.strip()
        return self.leader if said in ("running", "degraded") else None

    def run(self, script, check=True, user=None):
        """Bash in the machine, as root or as a user of it."""
        words = ["nsenter", "--target", str(self.leader), "--all", "--wdns=/"]
        if user:
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        done = subprocess.run([*words, "/bin/bash", "-c", script], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
        assert not check or done.returncode == 0, f"{script}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def says(self, script, user=None):
        return self.run(script, user=user).stdout.strip()

    def start(self, script, user=None):
        words = ["nsenter", "--target", str(self.leader), "--all", "--wdns=/"]
        words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return subprocess.Popen([*words, "/bin/bash", "-c", script], env=ENVIRONMENT, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def wait(self, what, look, limit_s=60):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.1)
        raise AssertionError(f"in {limit_s} s not: {what}")

    def stop(self):
        if self.container.poll() is None:
            # It powers the machine off.
            self.container.send_signal(signal.SIGTERM)
            try:
                self.container.wait(30)
            except subprocess.TimeoutExpired:
                self.container.kill()
                self.container.wait()
