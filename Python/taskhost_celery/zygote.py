"""A process that is forked for ever after must have one thread and no connection: what importing the app has left."""
import os
import socket
import sys
import threading


def thread_ids():
    return [int(number) for number in os.listdir("/proc/self/task")]


def refuse_threads():
    """None, or which threads the import has started and where they belong."""
    if len(thread_ids()) > 1:
        let_libraries_end_theirs()
    ids = thread_ids()
    if len(ids) == 1:
        return None
    known = {one.native_id: one for one in threading.enumerate()}
    names = [described(number, known.get(number)) for number in ids if number != os.getpid()]
    return (f"starts threads while the app is imported, and a process with threads cannot be forked safely: "
            f"{', '.join(names)}. Start them in a handler of worker_process_init, or when a task first needs them")


def let_libraries_end_theirs():
    """OpenBLAS and others end their threads before a fork, and start them again when they are next used."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def described(number, thread):
    """Name, and the module of what it runs; of a native thread only its name is known."""
    if thread is None:
        with open(f"/proc/self/task/{number}/comm") as file:
            return f"a native thread '{file.read().strip()}'"
    target = getattr(thread, "_target", None) or type(thread)
    return f"'{thread.name}' of {target.__module__}.{getattr(target, '__qualname__', '')}"


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
