"""One stage: its command is run to its end or to its time limit, its output goes to a log, its tests are counted."""
import dataclasses
import os
import re
import signal
import subprocess
import threading
import time

from . import again, count, hang

RUNNING = set()  # stages' processes, for a signal that ends everything
STOPPED = []  # signals that asked for the end: no further stage is to begin
NOT_RUN = 69  # exit status of an optional stage that cannot be run here
STOP_PATIENCE = 40.0  # seconds a stage gets to end its servers after TERM, before what is left of it is killed
PRINTING = threading.Lock()


@dataclasses.dataclass
class Stage:
    name: str
    command: list
    # "xml" (JUnit), "unittest" and "closing" (a last line "N passed, N failed") count single tests; None counts the
    # stage as one.
    report: str | None = None
    # Several times what it takes on a quiet machine of two cores: to end a hang, not to judge speed.
    limit_s: float = 900
    # A stage beside which this one may run; they start together.
    beside: str | None = None
    # Ends with NOT_RUN where it cannot be run: its last line says why, and it counts as nothing.
    optional: bool = False

    def run(self, root, logs, environment):
        """Runs it, prints its line (and why it failed), returns passed and failed."""
        label = self.name.replace(":", "-")
        log, xml = logs / f"{label}.log", logs / f"{label}.xml"
        for old in (xml, xml.with_name(f"{label}-swift-testing.xml")):
            old.unlink(missing_ok=True)
        began = time.monotonic()
        words = [word.replace("{xml}", str(xml)) for word in self.command]
        status, why = execute(words, root, environment, log, self.limit_s)
        if self.optional and status == NOT_RUN:
            with PRINTING:
                print(f"{self.name:24} {last_line(log)}", flush=True)
            return 0, 0
        passed, failed = {"xml": lambda: count.junit(xml), "unittest": lambda: count.unittest(log),
                          "closing": lambda: count.closing(log), None: lambda: (0, 0)}[self.report]()
        if status != 0 and failed == 0:
            failed = 1
        elif status == 0 and passed + failed == 0:
            # A stage that reports single tests and ran none has not tested anything.
            passed, failed = (1, 0) if self.report is None else (0, 1)
        flaky = []
        if self.report == "xml" and failed and not why and not STOPPED:
            # The two that run the journeys side by side share them out by file; alone there is nothing to share.
            alone = {name: value for name, value in environment.items() if name != "TASKHOST_TEST_SHARED"}
            flaky = again.pass_alone(self, xml, log, lambda words, log, limit_s: execute(
                words, root, alone, log, limit_s)[0])
            if flaky:
                passed, failed = passed + failed, 0
        verdict = "ok" if failed == 0 else "FAILED"
        with PRINTING:
            print(f"{self.name:24} {verdict:7} {passed:5} passed {failed:3} failed {time.monotonic() - began:7.1f} s",
                  flush=True)
            for name in flaky:
                print(f"    flaky: {name} failed, and passed alone; its first run: "
                      f"{(logs / 'flaky' / log.name).relative_to(root)}", flush=True)
            if why:
                print(f"    not ended after {self.limit_s:.0f} s; stopped. What it was doing:")
                print("\n".join("    " + line for line in why), flush=True)
            elif failed:
                tail(log)
            if failed:
                print(f"    whole output: {log.relative_to(root)}", flush=True)
        return passed, failed


def execute(words, root, environment, log, limit_s):
    """Runs a command to its end or its limit; returns its exit status, and what it was doing if it had to be stopped."""
    with log.open("wb") as out:
        running = subprocess.Popen(words, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT)
        RUNNING.add(running)
        try:
            return running.wait(limit_s), []
        except subprocess.TimeoutExpired:
            why = hang.evidence(running.pid, log)
            stop(running)
            return 124, why
        finally:
            RUNNING.discard(running)


def stop_on_signals():
    """TERM and ^C: what runs is asked to end (it stops its servers)."""
    def ask(number, _):
        STOPPED.append(number)
        for running in list(RUNNING):
            running.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)


def stop(running):
    """Ends a stage that does not end, with all below it, whatever sessions they made."""
    below = {pid: hang.started(pid) for pid in hang.children(running.pid)}
    running.send_signal(signal.SIGTERM)
    try:
        running.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    for pid, began in below.items():
        # The number may be somebody else's by now.
        if began is not None and hang.started(pid) == began:
            os.kill(pid, signal.SIGKILL)


def last_line(log):
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "not run"


def tail(log, lines=60):
    text = log.read_text(errors="replace").splitlines()
    errors = [line for line in text if re.search(r"\berror:|✘|FAILED|^E  ", line)]
    print("\n".join("    " + line for line in errors[:lines] or text[-lines:]))
