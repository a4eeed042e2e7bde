"""`taskhost top` on a pseudo-terminal: what it shows, and what its keys do."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pytest
from conftest import Embedded
from lab import settings
from lab.wait import until


class Top:
    """The program on a terminal of 120 columns and 30 lines; `lines` is what it shows now."""

    def __init__(self, *words):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.terminal = theirs
        self.process = subprocess.Popen([settings.dist("bin", "taskhost"), "top", *words], stdin=theirs, stdout=theirs,
                                        stderr=theirs)
        self.seen = ""

    @property
    def text(self):
        while select.select([self.ours], [], [], 0)[0]:
            self.seen += os.read(self.ours, 65536).decode()
        return self.seen

    @property
    def lines(self):
        frames = [frame for frame in self.text.split("\x1b[H") if frame.endswith("\x1b[J")]
        text = frames[-1] if frames else ""
        return [re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", line) for line in text.split("\r\n")]

    def shows(self, *words):
        return any(all(word in line for word in words) for line in self.lines)

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.terminal)


class Address:
    def __init__(self, broker, backend):
        self.broker, self.backend = broker, backend


@pytest.fixture(params=["rabbitmq", "redis", "embedded"])
def where(request, tmp_path, taskhost):
    return {"rabbitmq": lambda: Address(settings.server("AMQP_URL"), "rpc://"),
            "redis": lambda: Address(settings.server("REDIS_URL"), settings.server("REDIS_URL")),
            "embedded": lambda: Embedded(tmp_path, taskhost)}[request.param]()


def test_top_shows_the_fleet_and_its_keys_pause_kill_and_quit(where, taskhost, start_worker, queue, note, gate):
    node = f"watched-{queue}@test"
    worker = start_worker(where, queue, options=["-n", node], slots=1)

    def call(text, *options, task="journey.gate"):
        return taskhost("call", task, str(note), text, gate.path, *options, "-b", where.broker, "--result-backend",
                        "none", "-Q", queue, "--json").json["id"]
    first = call("first", "--soft-time-limit", "20", "--time-limit", "90", task="journey.talking_gate")
    until("the first to run", lambda: note.lines == ["first"])
    top = Top("-b", where.broker, "-d", node)
    try:
        until("the worker to be shown", lambda: top.shows(node, "1/1"))
        until("the task to be shown", lambda: top.shows("journey.talking_gate", first))
        until("the queue's depth and rate to be shown", lambda: top.shows(queue, " 0 ", "/s"))
        # Its limits, its memory, and what it said last.
        until("what is told of the task", lambda: top.shows("20s/1m 30s", "M ", first) and top.shows("half way"))
        top.press("p")
        until("the queue to be paused", lambda: top.shows(queue, "paused"))
        second = call("second")
        until("the message to be counted", lambda: top.shows(queue, " 1 ", "paused"))
        top.press("\x1b[Bk")
        until("the question", lambda: top.shows(f"kill {first}? [y/N]"))
        top.press("y")
        until("the task to be gone", lambda: not top.shows("journey.talking_gate", first))
        top.press("\x1b[Ap")
        until("the next to run", lambda: top.shows("journey.gate", second))
        top.press("q")
        assert top.process.wait(timeout=10) == 0
        assert termios.tcgetattr(top.terminal) == top.before
    finally:
        top.close()
    assert worker.running
    gate.open()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(embedded, number):
    top = Top("-b", embedded.broker)
    try:
        until("the screen", lambda: top.shows("workers"))
        assert termios.tcgetattr(top.terminal) != top.before
        top.process.send_signal(number)
        assert top.process.wait(timeout=15) == 128 + number
        assert termios.tcgetattr(top.terminal) == top.before
        assert "\x1b[?1049l" in top.text and "\x1b[?25h" in top.text
    finally:
        top.close()


def test_top_without_a_terminal_names_what_scripts_use(embedded, taskhost):
    done = taskhost("top", "-b", embedded.broker).expect(64)
    assert "status --json" in done.err
