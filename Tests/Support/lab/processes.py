"""Looking at process trees through /proc."""
import os


def status(pid):
    """(name, state letter, parent's pid), or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    end = text.rfind(")")
    fields = text[end + 2:].split()
    return text[text.find("(") + 1:end], fields[0], int(fields[1])


def alive(pid):
    """True for a process that is more than an uncollected exit status."""
    found = status(pid)
    return found is not None and found[1] not in "ZX"


def everyone():
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (one := status(int(entry))) is not None:
            found[int(entry)] = one
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
