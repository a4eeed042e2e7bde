"""A zygote with one lane and one child for each test, and a file for the pids of what it leaves behind."""

import tempfile
import time
import unittest
from pathlib import Path

from bundles import FOLDER, RUNNER, example
from runner_driver import LAW, Zygote


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


class Case(unittest.TestCase):
    bundle = "saboteur"
    confine = LAW

    def setUp(self):
        self.zygote = Zygote(RUNNER, example(self.bundle), confine=self.confine)
        self.zygote.load()
        self.lane = self.zygote.lane()
        self.pids = Path(tempfile.mkstemp(dir=FOLDER)[1])

    def tearDown(self):
        self.assertEqual(self.zygote.close(), 0)
        for pid in self.left():
            self.assertFalse(alive(pid), f"process {pid} outlived the zygote")

    def left(self):
        return [int(line) for line in self.pids.read_text().split()]

    def wait_for_pids(self, count):
        deadline = time.monotonic() + 10
        while len(self.left()) < count:
            self.assertLess(time.monotonic(), deadline, "the processes did not appear")
            time.sleep(0.002)
        return self.left()
