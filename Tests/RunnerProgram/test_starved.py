"""A zygote with too few descriptors, one that is asked whether it listens, and what slips out of a living tree."""

import fcntl
import os
import time
import unittest
from pathlib import Path

from bundles import FOLDER, RUNNER, build, example
from case import alive
from runner_driver import *

# <linux/fcntl.h>; this Python may not know them.
F_ADD_SEALS, ALL_SEALS = 1033, 0x1 | 0x2 | 0x4 | 0x8


class Starved(unittest.TestCase):
    def test_without_room_for_a_lane_it_says_so_and_serves_those_it_has(self):
        zygote = Zygote(RUNNER, example("arithmetic"), nofile=600)
        zygote.load()
        lanes, failed = [], None
        while failed is None and len(lanes) < 60:
            lane = zygote.lane(fork=False)
            zygote.send(FORK, lane=lane.number)
            record = zygote.expect(FORKED, LANE_FAILED, lane=lane.number)
            if record.type == FORKED:
                lanes.append(lane)
            else:
                failed = lane
        self.assertIsNotNone(failed, "as if there were room for 60 lanes below 600 descriptors")
        self.assertGreater(len(lanes), 10)
        # The order to fork into a lane that is not there is answered, too.
        self.assertEqual(zygote.expect(FORK_FAILED, lane=failed.number).status, 2)
        self.assertEqual(lanes[0].run("tasks.add", 1, 2).value, 3.0)
        # Nothing of what could not be taken stays: with one lane less there is room for one more.
        for _ in range(5):
            closed = lanes.pop()
            zygote.send(LANE_CLOSE, lane=closed.number)
            closed.exited()
            again = zygote.lane()
            lanes.append(again)
            self.assertEqual(again.run("tasks.add", 2, 2).value, 4.0)
        self.assertEqual(zygote.close(), 0)

    def test_asked_whether_it_listens_it_answers(self):
        zygote = Zygote(RUNNER, example("arithmetic"))
        zygote.load()
        zygote.send(PING)
        zygote.expect(PONG)
        self.assertEqual(zygote.close(), 0)

    def test_a_daemon_that_left_a_kept_childs_tree_is_found_while_the_child_lives(self):
        zygote = Zygote(RUNNER, build("against_parent", "against_parent.c"))
        zygote.load()
        lane = zygote.lane()
        pids = FOLDER / "daemons"
        child = lane.run("against.leave_daemon", str(pids)).value
        deadline = time.monotonic() + 10
        while not pids.exists() or not pids.read_text().endswith("\n"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        daemon = int(pids.read_text())
        zygote.send(SWEEP)
        while alive(daemon):
            self.assertLess(time.monotonic(), deadline, "the daemon lives on")
            time.sleep(0.005)
        self.assertTrue(alive(child))
        self.assertEqual(lane.run("against.answer").value, 42)
        self.assertEqual(zygote.close(), 0)

    def test_a_bundle_is_loaded_from_sealed_memory_without_a_name(self):
        memory = os.memfd_create("bundle.so", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self.addCleanup(os.close, memory)
        os.write(memory, example("arithmetic").read_bytes())
        fcntl.fcntl(memory, F_ADD_SEALS, ALL_SEALS)
        os.chmod(FOLDER, 0o755)
        # Whose files in /proc belong to root opens its own copy all the same.
        for user in [None, 65534] if os.getuid() == 0 else [None]:
            for confine in LAW, OPEN, [*LAW, f"write={FOLDER}"]:
                zygote = Zygote(RUNNER, "/proc/self/fd/4", shown="arithmetic.so", bundle=memory, confine=confine,
                                user=user)
                zygote.load()
                lane = zygote.lane()
                self.assertEqual(lane.run("tasks.add", 1, 2).value, 3.0)
                if os.getuid() == 0 or confine == OPEN:
                    self.assertEqual(sorted(map(int, os.listdir(f"/proc/{lane.pid}/fd"))), [0, 1, 2, 3])
                self.assertEqual(zygote.close(), 0)
