"""One server process: started so that it can't outlive us, killed by its id, waited for."""
import ctypes
import fcntl
import os
import random
import shlex
import signal
import socket
import stat
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
START_PATIENCE = 90.0  # seconds a server gets to become ready; a busy machine needs about 15


class StartFailure(Exception):
    """A server that didn't start; the text says where to look."""


def free_ports(count):
    """Free TCP ports of 127.0.0.1 that no other test of this machine is given as long as this process lives: between the
    choice and the server's own bind, another would find a port free. Drawn below those that the system gives to
    clients: a connection to somewhere else would take one before its server does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first = min(32768, int(file.read().split()[0]))
    ports = []
    for port in random.SystemRandom().sample(range(min(10000, first // 2), first), 1000):
        if len(ports) == count:
            return ports
        if is_free(port) and reserve(port):
            ports.append(port)
    raise StartFailure(f"no {count} free ports of 127.0.0.1 below {first}")


def is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


RESERVED = {}  # port: the open file whose lock says that it is ours


def reserve(port):
    """False when this or another process has it. The lock goes with the process; the empty file stays."""
    folder = os.path.join(tempfile.gettempdir(), f"taskhost-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    file = open(os.path.join(folder, str(port)), "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    RESERVED[port] = file
    return True


def write_script(path, words, environment=None):
    """An executable that runs `words` with the caller's arguments behind them."""
    with open(path, "w") as script:
        script.write("#!/bin/sh\n")
        for name, value in (environment or {}).items():
            script.write(f"export {name}={shlex.quote(value)}\n")
        script.write(f'exec {shlex.join(words)} "$@"\n')
    os.chmod(path, stat.S_IRWXU)
    return path


def adopt_orphans():
    """Orphans below us become our children: not every container's first process collects the dead."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def adopted(known):
    """Collects dead orphans; returns (pid, name) of those alive. `known` are children somebody else waits for."""
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        pids = [int(word) for word in file.read().split()]
    alive = []
    for pid in set(pids) - known:
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            with open(f"/proc/{pid}/comm") as file:
                alive.append((pid, file.read().strip()))
    return alive


class Process:
    """A child of ours in a session of its own: the terminal's ^C doesn't reach it, our death kills it."""

    def __init__(self, words, log, environment=None, pid_file=None):
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.log = log
        if pid_file:
            with open(pid_file, "w") as file:
                file.write(f"{self.popen.pid}\n")

    def kill(self):
        if self.popen.poll() is None:
            try:
                os.killpg(self.popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended between the two lines; wait() below collects it
        self.popen.wait()

    def wait_until(self, ready, what, give_up=None):
        """Polls `ready` until it is true. Raises StartFailure when the process ends or takes too long."""
        end = time.monotonic() + START_PATIENCE
        while not ready():
            if give_up is not None and give_up():
                raise StartFailure("stopped while the servers were starting")
            if self.popen.poll() is not None:
                raise StartFailure(f"{what} ended while starting (status {self.popen.returncode}); see {self.log}")
            if time.monotonic() > end:
                raise StartFailure(f"{what} wasn't ready after {START_PATIENCE:.0f} s; see {self.log}")
            time.sleep(0.05)


def replies(port, request, expected):
    """True when something on 127.0.0.1:port answers `request` with bytes that contain `expected`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
            link.sendall(request)
            return expected in link.recv(4096)
    except OSError:
        return False
