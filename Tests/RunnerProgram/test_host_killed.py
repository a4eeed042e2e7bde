"""A host that is killed says nothing any more: its zygotes see to it that nothing is left, even one that was stopped."""

import os
import signal
import tempfile
import time
import unittest

from bundles import FOLDER, RUNNER, example
from case import alive
from runner_driver import *


def host(pids, out):
    """In a process of its own: daemons under a task that waits, then nothing."""
    zygote = Zygote(RUNNER, example("saboteur"))
    zygote.load()
    for number in range(4):
        zygote.lane().send_task("saboteur.spawn", ["daemon", 2, pids, True])
    os.write(out, b"%d\n" % zygote.process.pid)
    while True:
        signal.pause()


class HostKilled(unittest.TestCase):
    def daemons_after(self, prepare=lambda zygote: None):
        pids = tempfile.mkstemp(dir=FOLDER)[1]
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            host(pids, writing)
        os.close(writing)
        zygote = int(os.read(reading, 100))
        os.close(reading)
        deadline = time.monotonic() + 20
        while open(pids).read().count("\n") < 8:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        prepare(zygote)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        left = [int(word) for word in open(pids).read().split()] + [zygote]
        while any(map(alive, left)) and time.monotonic() < deadline:
            time.sleep(0.005)
        return [pid for pid in left if alive(pid)]

    def test_daemons_of_running_tasks_die_with_their_host(self):
        for _ in range(5):
            self.assertEqual(self.daemons_after(), [])

    def test_they_die_though_their_zygote_was_stopped(self):
        self.assertEqual(self.daemons_after(lambda zygote: os.kill(zygote, signal.SIGSTOP)), [])
