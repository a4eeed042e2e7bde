"""What a stage was doing when its time was over: its processes, what they wait for, tests that began and did not end."""
import os
import re
import shutil
import subprocess

STACKS = 4  # processes whose stacks are printed, the youngest ones: the older ones wait for them
STACK_PATIENCE = 60.0  # seconds gdb gets for one of them


def children(pid):
    """Ids of all processes below `pid`, parents before their children."""
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children") as file:
                ids = [int(word) for word in file.read().split()]
        except OSError:
            continue
        for child in ids:
            found += [child, *children(child)]
    return found


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def started(pid):
    """When it began, in ticks since the machine did; None: there is none."""
    fields = read(pid, "stat").rpartition(")")[2].split()
    return int(fields[19]) if fields else None


def processes(pids):
    """A line for each: id, parent, state, kernel function waited in, command."""
    lines = []
    for pid in pids:
        fields = read(pid, "stat").rpartition(")")[2].split()
        if fields:
            lines.append(f"{pid} (of {fields[1]}) {fields[0]} {read(pid, 'wchan') or '-'}: {read(pid, 'cmdline')[:160]}")
    return lines


def stack(pid):
    """Every thread's native frames, if there is a debugger."""
    if not shutil.which("gdb"):
        return ["no gdb here: no stacks"]
    words = ["gdb", "-p", str(pid), "-batch", "-nx", "-ex", "set debuginfod enabled off", "-ex", "thread apply all bt 14"]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=STACK_PATIENCE)
    except subprocess.TimeoutExpired:
        return [f"gdb did not answer within {STACK_PATIENCE:.0f} s"]
    return [line[:200] for line in done.stdout.splitlines() if line.startswith(("#", "Thread"))][:120]


def unfinished(log):
    """Tests of Swift Testing that began and did not end; of pytest the last line tells where it stood."""
    text = log.read_text(errors="replace")
    began = re.findall(r"^. Test (\"[^\n]*\"|\w+\(\)) started\.$", text, re.MULTILINE)
    ends = r" (?:with \d+ test cases? )?(?:passed|failed|skipped)\b"
    return [name for name in began if not re.search(f"^. Test {re.escape(name)}{ends}", text, re.MULTILINE)]


def evidence(pid, log):
    """Lines that tell what hangs below process `pid`."""
    pids = children(pid)
    lines = ["processes:", *("  " + line for line in processes(pids))]
    names = unfinished(log)
    lines += [f"tests that began and did not end: {len(names)}", *("  " + name for name in names[:40])]
    lines += ["last lines:", *("  " + line[:200] for line in log.read_text(errors="replace").splitlines()[-8:])]
    # Servers and shells explain nothing.
    telling = [one for one in pids if not re.search(r"beam|erl|epmd|redis-server|inet_gethost|^(ba)?sh\b", read(one, "comm"))]
    for one in telling[-STACKS:]:
        lines += [f"stack of {one} ({read(one, 'comm')}):", *("  " + line for line in stack(one))]
    return lines
