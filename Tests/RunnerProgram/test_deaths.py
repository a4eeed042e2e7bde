"""How children die, what they say before, and limits."""

import os
import re
import signal
import time
from pathlib import Path

from bundles import example
from case import Case
from runner_driver import *


class Deaths(Case):
    def dies(self, name, *args):
        sequence = self.lane.send_task("saboteur." + name, args)
        record = self.lane.exited()
        return record, sequence

    def test_a_signal_is_reported_with_frames_before_the_exit(self):
        for name, number in ("segv", signal.SIGSEGV), ("abort", signal.SIGABRT), ("overflow", signal.SIGSEGV):
            record, sequence = self.dies(name)
            crash = self.zygote.records.pop(0)
            self.assertEqual((crash.type, crash.lane, crash.pid), (CRASH, self.lane.number, self.lane.pid))
            state, page_sequence, page_signal, frames = self.lane.crash()
            self.assertEqual((state, page_sequence, page_signal), (FILLED, sequence, number))
            self.assertEqual(os.WTERMSIG(record.status), number)
            self.assertEqual(len(crash.text.splitlines()), len(frames))
            for line in crash.text.splitlines():
                self.assertRegex(line, r"^0x[0-9a-f]+ 0x[0-9a-f]+ \S+$")
            self.assertIn("saboteur.so", crash.text)
            self.lane.fork()
        self.assertEqual(self.lane.crash()[0], IDLE)

    def test_the_first_frame_of_a_fault_is_the_faulting_function(self):
        self.dies("segv")
        offset = int(self.zygote.records.pop(0).text.split()[1], 16)
        symbols = os.popen(f"nm {example('saboteur')}").read()
        start = int(re.search(r"^([0-9a-f]+) t segv$", symbols, re.M)[1], 16)
        self.assertTrue(0 <= offset - start < 64)

    def test_exit_and_kill_leave_the_page_running_and_a_true_status(self):
        record, sequence = self.dies("exit", 3)
        self.assertEqual((os.waitstatus_to_exitcode(record.status), self.lane.crash()[:2]), (3, (RUNNING, sequence)))
        self.lane.fork()
        record, sequence = self.dies("signal", signal.SIGKILL)
        self.assertEqual((record.status, self.lane.crash()[:2]), (signal.SIGKILL, (RUNNING, sequence)))

    def test_the_crash_of_a_process_the_task_forked_is_not_the_tasks(self):
        self.assertEqual(self.lane.run("saboteur.child_crashes").value, signal.SIGSEGV)
        self.assertNotEqual(self.lane.crash()[0], FILLED)

    def test_memory_ends_at_its_own_limit(self):
        self.assertEqual(self.lane.run("saboteur.memory", 2000, timeout=30).value["exc_type"], "MemoryError")

    def test_resource_usage_is_reported(self):
        frame = self.lane.run("saboteur.memory", 50)
        self.assertGreater(frame.usage[3], 50 << 10)
        self.lane.send_frame(FRAME_EXIT)
        record = self.lane.exited()
        self.assertGreater(record.max_rss_kib, 50 << 10)
        self.assertGreater(record.user_us + record.system_us, 0)


class Noise(Case):
    def test_a_flood_is_read_to_its_end_before_the_result_counts(self):
        for fd in 1, 2:
            self.lane.output = b""
            self.assertEqual(self.lane.run("saboteur.flood", 3 << 20, fd).value, 3 << 20)
            self.assertEqual(len(self.lane.drain()), 3 << 20)

    def test_output_without_a_line_end_is_flushed_before_the_result(self):
        self.lane.run("saboteur.say", "half a line")
        self.assertEqual(self.lane.drain(), b"half a line")

    def test_lines_are_there_when_the_task_crashes(self):
        self.lane.run("saboteur.say", "one\ntwo\nhalf")
        self.assertEqual(self.lane.drain(), b"one\ntwo\nhalf")

    def test_a_child_without_descriptors_ends(self):
        self.lane.send_task("saboteur.close_fds")
        self.assertEqual(self.lane.exited().status, 0)

    def test_nonsense_from_the_host_ends_the_child_with_76(self):
        for junk in (HEADER.pack(0, 99, 0, 1), HEADER.pack(1 << 30, FRAME_TASK, 0, 1),
                     HEADER.pack(5, FRAME_TASK, 0, 200) + b"12345"):
            lane = self.zygote.lane()
            lane.data.sendall(junk)
            self.assertEqual(os.waitstatus_to_exitcode(lane.exited().status), 76)
            self.assertIn(b"taskhost-runner: the host sent", lane.drain())
            self.zygote.send(LANE_CLOSE, lane=lane.number)


class SoftLimits(Case):
    bundle = "sleeper"

    def test_a_soft_limit_wakes_a_task_that_polls(self):
        sequence = self.lane.send_task("sleeper.sleep", [60])
        while self.lane.crash()[0] != RUNNING:
            time.sleep(0.001)
        begin = time.monotonic()
        self.lane.soft(sequence)
        frame = self.lane.result()
        self.assertLess(time.monotonic() - begin, 0.2)
        self.assertEqual((frame.code, frame.value["exc_type"], frame.value["exc_module"], frame.value["exc_message"]),
                         (FAILURE, "SoftTimeLimitExceeded", "billiard.exceptions", ["the task was asked to stop"]))
        self.assertLess(self.lane.run("sleeper.sleep", 0.01).value, 1)

    def test_a_soft_limit_that_comes_before_its_task_counts_and_a_late_one_does_not(self):
        first, second, third = (self.zygote.next_sequence() for _ in range(3))
        self.lane.soft(second)
        self.lane.send_task("sleeper.sleep", [0.02], sequence=first)
        self.assertEqual(self.lane.result().code, SUCCESS)
        self.lane.send_task("sleeper.sleep", [60], sequence=second)
        self.assertEqual(self.lane.result().code, FAILURE)
        self.lane.soft(second)
        self.lane.send_task("sleeper.sleep", [0.02], sequence=third)
        self.assertEqual(self.lane.result().code, SUCCESS)

    def test_a_stubborn_task_ends_by_kill_only(self):
        sequence = self.lane.send_task("sleeper.stubborn", [60])
        deaf = 1 << signal.SIGTERM - 1
        while not self.ignored(self.lane.pid) & deaf:
            self.assertIsNone(self.zygote.process.poll())
        self.lane.soft(sequence)
        self.zygote.send(SIGNAL, lane=self.lane.number, status=signal.SIGTERM)
        with self.assertRaises(Timeout):
            self.lane.frame(0.1)
        self.lane.kill()
        self.assertEqual(self.lane.exited().status, signal.SIGKILL)

    @staticmethod
    def ignored(pid):
        return int(re.search(r"SigIgn:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())[1], 16)

    def test_progress_is_reported_while_it_sleeps(self):
        self.lane.send_task("sleeper.sleep", [1])
        self.assertEqual(self.lane.frame().value, {"state": "PROGRESS", "meta": {"done": 1, "total": 10, "current": 1, "percent": 10}})
