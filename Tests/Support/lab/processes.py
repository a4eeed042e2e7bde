"""Looking at process trees through /proc."""
import os
import time

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds


class Pid(int):
    """A process' id that knows when the process began: where many start, ids are used again within a minute."""

    def __new__(cls, pid, started):
        self = super().__new__(cls, pid)
        self.started = started
        return self


def stat(pid):
    """(name, state letter, parent's pid, ticks from boot to its start), or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    end = text.rfind(")")
    fields = text[end + 2:].split()
    return text[text.find("(") + 1:end], fields[0], int(fields[1]), int(fields[19])


def status(pid):
    """(name, state letter, parent's pid), or None when there is no such process."""
    found = stat(pid)
    return found and found[:3]


def alive(pid):
    """True for a process that is more than an uncollected exit status; not for another one that has got its `Pid`."""
    found = stat(pid)
    return found is not None and found[1] not in "ZX" and getattr(pid, "started", found[3]) == found[3]


def alive_since(pid, moment):
    """Whether the process that had this id at `moment` (CLOCK_MONOTONIC nanoseconds) still lives."""
    found = stat(pid)
    asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return found is not None and found[1] not in "ZX" and found[3] * TICK - asleep <= moment


def everyone():
    """Pid -> status of every process, dead ones too."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (one := stat(int(entry))) is not None:
            found[Pid(entry, one[3])] = one[:3]
    return found


def children(pid):
    return sorted(child for child, (_, state, parent) in everyone().items() if parent == pid and state not in "ZX")


def descendants(pid):
    """Living processes below `pid`, parents before their children."""
    parents = {}
    for child, (_, state, parent) in everyone().items():
        if state not in "ZX":
            parents.setdefault(parent, []).append(child)
    found, waiting = [], [pid]
    while waiting:
        below = parents.get(waiting.pop(0), [])
        found += below
        waiting += below
    return found


def zygotes(host):
    """The runner processes directly below a host."""
    names = ("taskhost-zygote", "taskhost-runner")  # the second until it has loaded its bundle
    return [pid for pid in children(host) if (found := status(pid)) and found[0] in names]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pids):
    """User and system time so far, with that of collected children."""
    tick = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                text = file.read()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(field) for field in text[text.rfind(")") + 2:].split()[11:15]) / tick
    return total
