"""A process that is forked for ever after must have no connection (and one thread: threads.py): what importing the app
has left."""
import os
import socket
import sys

from . import threads


refuse_threads = threads.refuse


def descriptors():
    """Those that are open."""
    return {int(entry) for entry in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{entry}")}


def connections():
    """The process's sockets: descriptor and where it is connected to."""
    found = {}
    for entry in os.listdir("/proc/self/fd"):
        try:
            if not os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry))) as one:
                found[int(entry)] = one.getpeername()
        except OSError:
            pass  # closed meanwhile, or not connected
    return found


def complain_of_connections(before):
    """Children would share it, and read each other's answers."""
    for descriptor, peer in connections().items():
        if before.get(descriptor) != peer:
            where = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else peer or "a socket without a name"
            print(f"taskhost: importing the app has opened a connection to {where} (descriptor {descriptor}), which all "
                  "children would share: open it in a handler of worker_process_init, or when a task first needs it",
                  file=sys.stderr)
