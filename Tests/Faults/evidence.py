"""What a fault run leaves behind: runs seen by the tasks themselves, kills, results. Values only."""
from dataclasses import dataclass, field

SECOND = 1_000_000_000


@dataclass
class Run:
    """One start of a task, as it noted it itself. Times are CLOCK_MONOTONIC nanoseconds."""
    key: str
    pid: int
    zygote: int
    started: int
    ended: int | None = None


@dataclass
class Kill:
    """One SIGKILL. `pids` are the children, `zygotes` the zygotes that it could take a task from.

    It was sent at `at`; after `over` nothing more of it could begin (CLOCK_MONOTONIC nanoseconds).
    """
    target: str  # child, zygote, host, broker
    at: int
    over: int
    pids: frozenset = frozenset()
    zygotes: frozenset = frozenset()

    def hit(self, run):
        if self.target == "broker":
            return True
        return run.pid in self.pids or run.zygote in self.zygotes


@dataclass
class Evidence:
    tasks: set
    runs: list = field(default_factory=list)
    kills: list = field(default_factory=list)
    results: dict = field(default_factory=dict)  # key -> (state, value)
    waiting: int = 0  # messages still in the queue at the end
    dead: int = 0
    left_processes: list = field(default_factory=list)


def read_runs(path):
    """Runs in the order of their starts."""
    runs, open_runs = [], {}
    try:
        with open(path) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return runs
    for line in lines:
        what, key, pid, zygote, at = line.split()
        place = (key, int(pid))
        if what == "S":
            one = Run(key, int(pid), int(zygote), int(at))
            open_runs[place] = one
            runs.append(one)
        else:
            open_runs.pop(place).ended = int(at)
    return runs
