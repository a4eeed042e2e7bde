"""What is left of a task's processes: nothing."""

import signal
import time
from pathlib import Path

from bundles import RUNNER, example
from case import Case, alive
from runner_driver import *


class Trees(Case):
    def test_what_a_task_leaves_behind_dies_with_its_child(self):
        for style in "plain", "setsid", "daemon", "deaf", "spin":
            before = len(self.left())
            frame = self.lane.run("saboteur.spawn", style, 2, str(self.pids))
            self.assertTrue(frame.child_exits, style)
            record = self.lane.exited()
            self.assertEqual((record.status, record.swept), (0, 2), style)
            for pid in self.left()[before:]:
                self.assertFalse(alive(pid), style)
            self.lane.fork()

    def test_a_kill_takes_the_whole_tree_within_200_ms(self):
        for style in "plain", "setsid", "daemon", "deaf", "spin":
            before = len(self.left())
            self.lane.send_task("saboteur.spawn", [style, 3, str(self.pids), True])
            pids = self.wait_for_pids(before + 3)[before:]
            begin = time.monotonic()
            self.lane.kill()
            record = self.lane.exited()
            self.assertLess(time.monotonic() - begin, 0.2, style)
            self.assertEqual((record.status, record.swept), (signal.SIGKILL, 3), style)
            self.assertFalse(any(map(alive, pids)), style)
            self.lane.fork()

    def test_the_worst_task_is_gone_within_200_ms(self):
        self.lane.send_task("saboteur.worst", [str(self.pids)])
        pids = self.wait_for_pids(2)
        begin = time.monotonic()
        self.lane.kill()
        self.lane.exited()
        self.assertLess(time.monotonic() - begin, 0.2)
        self.assertFalse(any(map(alive, pids)))

    def test_a_fork_bomb_and_a_moving_target_are_caught(self):
        self.lane.send_task("saboteur.bomb", [6])
        self.lane.kill()
        self.lane.exited()
        self.lane.fork()
        self.lane.send_task("saboteur.chase", [1000000, str(self.pids)])
        children = Path(f"/proc/{self.lane.pid}/task/{self.lane.pid}/children")
        while not children.read_text():
            self.assertTrue(alive(self.lane.pid))
        self.lane.kill()
        self.assertGreater(self.lane.exited().swept, 0)

    def test_other_lanes_children_survive_a_sweep(self):
        other = self.zygote.lane()
        other.send_task("saboteur.spawn", ["daemon", 1, str(self.pids), True])
        survivor = self.wait_for_pids(1)[0]
        self.assertTrue(self.lane.run("saboteur.spawn", "daemon", 1).child_exits)
        self.assertEqual(self.lane.exited().swept, 1)
        self.assertTrue(alive(survivor) and alive(other.pid))
        other.kill()
        other.exited()
        self.assertFalse(alive(survivor))

    def test_a_stopped_child_can_be_killed(self):
        self.lane.send_task("saboteur.stop_self")
        self.lane.kill()
        self.assertEqual(self.lane.exited().status, signal.SIGKILL)

    def test_a_copy_of_the_child_does_not_answer_in_its_place(self):
        self.assertEqual(self.lane.run("saboteur.two_returns").value, 1)
        self.lane.exited()
        self.lane.data.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.lane.data.recv(1)

    def test_when_the_host_goes_everything_goes(self):
        children = [self.lane.pid] + [self.zygote.lane().pid for _ in range(3)]
        self.lane.send_task("saboteur.worst", [str(self.pids)])
        pids = self.wait_for_pids(2) + children
        self.assertEqual(self.zygote.close(), 0)
        self.assertFalse(any(map(alive, pids)))
        self.zygote = Zygote(RUNNER, example("saboteur"))

    def test_when_the_zygote_is_killed_its_children_go(self):
        children = [self.lane.pid, self.zygote.lane().pid]
        self.zygote.process.kill()
        self.zygote.process.wait()
        deadline = time.monotonic() + 5
        while any(map(alive, children)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)
        self.zygote.close = lambda: 0

    def test_signals_reach_the_process_group(self):
        self.lane.send_task("saboteur.spawn", ["plain", 1, str(self.pids), True])
        pid = self.wait_for_pids(1)[0]
        self.zygote.send(SIGNAL, lane=self.lane.number, status=signal.SIGTERM)
        self.assertEqual(self.lane.exited().status, signal.SIGTERM)
        self.assertFalse(alive(pid))
