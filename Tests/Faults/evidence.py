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
    """One SIGKILL, or one TERM of a host, which may take no task. `pids` are the children, `zygotes` the zygotes that it
    could take a task from.

    It was sent at `at`; after `over` nothing more of it could begin (CLOCK_MONOTONIC nanoseconds).
    """
    target: str  # child, zygote, host, broker, store, term
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
    follows: dict = field(default_factory=dict)  # key of a link -> key of the task that calls it
    forgets_acks: bool = False  # a killed broker gives back what was acknowledged in its last seconds


class Record:
    """Follows the file the recorder writes: `runs` in the order of their starts."""

    def __init__(self, path):
        self.path = path
        self.runs = []
        self.open_runs = {}
        self.position = 0

    def read(self):
        """Takes in what is new, whole lines only; returns all runs so far."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.position)
                fresh = file.read()
        except FileNotFoundError:
            return self.runs
        whole = fresh[:fresh.rfind(b"\n") + 1]
        self.position += len(whole)
        for line in whole.decode().splitlines():
            self.take(*line.split())
        return self.runs

    def take(self, what, key, pid, zygote, at):
        place = (key, pid)
        if what == "S":
            one = Run(key, int(pid), int(zygote), int(at))
            self.open_runs[place] = one
            self.runs.append(one)
        else:
            self.open_runs.pop(place).ended = int(at)
