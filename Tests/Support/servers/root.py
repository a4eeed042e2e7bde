"""Servers out of another Debian (`WITH_SERVERS_ROOT`): run by chroot, on the same temporary folder, /proc and /dev."""
import ctypes
import os
import subprocess
import tempfile

from servers.process import StartFailure, write_script

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
REDIS_KINDS = ("redis-server", "valkey-server")


def folder():
    """The root's path, or "": this machine's own servers."""
    return os.path.realpath(path) if (path := os.environ.get("WITH_SERVERS_ROOT")) else ""


def prefix():
    """Words before a command that belongs to the root. chroot execs: pid, signals and death signal stay right."""
    return ["chroot", folder()] if folder() else []


def enter():
    """Mounts what the servers share with us, for this process and its children alone: it ends with the last of them."""
    if not folder():
        return
    if not os.path.exists(os.path.join(folder(), "usr/bin")):
        raise StartFailure(f"WITH_SERVERS_ROOT={folder()} is no Debian root; Tests/Modern/root makes one")
    if LIBC.unshare(CLONE_NEWNS) != 0:
        raise StartFailure(f"WITH_SERVERS_ROOT needs root: unshare: {os.strerror(ctypes.get_errno())}")
    mount("--make-rprivate", "/")
    for shared in ("/proc", "/dev", os.path.realpath(tempfile.gettempdir())):
        inside = folder() + shared
        os.makedirs(inside, exist_ok=True)
        mount("--rbind", shared, inside)


def mount(*words):
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise StartFailure(f"mount {' '.join(words)}: {done.stderr.strip()}")


def programs(path):
    """A folder for the front of PATH: `redis-server` in it is the one chosen, for tests that start one themselves."""
    kind = os.environ.get("WITH_SERVERS_REDIS") or REDIS_KINDS[0]
    if kind not in REDIS_KINDS:
        raise StartFailure(f"WITH_SERVERS_REDIS={kind}: {' or '.join(REDIS_KINDS)}")
    os.mkdir(path)
    if folder() or kind != REDIS_KINDS[0]:
        if not os.path.exists(f"{folder()}/usr/bin/{kind}"):
            raise StartFailure(f"no {kind} in {folder() or '/'}: apt-get install {kind}")
        write_script(os.path.join(path, "redis-server"), [*prefix(), f"/usr/bin/{kind}"])
    return path
