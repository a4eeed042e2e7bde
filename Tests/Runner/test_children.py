"""Children: their descriptors, limits, deaths, and what is left of them."""

import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from bundles import FOLDER, RUNNER, build, example
from runner_driver import *


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


class Case(unittest.TestCase):
    bundle = "saboteur"

    def setUp(self):
        self.zygote = Zygote(RUNNER, example(self.bundle))
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


class Macros(unittest.TestCase):
    COMPILERS = ("cc", "-std=c99", "-pedantic"), ("cc", "-std=gnu17"), ("c++", "-xc++", "-std=c++11", "-pedantic")

    def test_every_language_makes_a_bundle_with_one_symbol(self):
        for number, compiler in enumerate(self.COMPILERS):
            path = build(f"macros{number}", "macros.c", "more_macros.c", compiler=compiler,
                         flags=["-Wextra", "-fvisibility=hidden"])
            exported = os.popen(f"nm -D --defined-only {path}").read().split()
            self.assertEqual(exported[2:], ["taskhost_bundle_v1"])
            zygote = Zygote(RUNNER, path)
            names = [task["name"] for task in zygote.load()["tasks"]]
            self.assertEqual(names, ["m.scale", "named", "m.handle", "m.second"])
            self.assertEqual(zygote.manifest["sdk"], "1.0.0 c++" if "c++" in compiler else "1.0.0 c")
            lane = zygote.lane()
            self.assertEqual(lane.run("m.scale", 3).value, 6.0)
            self.assertEqual(lane.run("named", True).value, False)
            self.assertEqual(lane.run("m.second").value, 2)
            self.assertEqual(zygote.close(), 0)

    def test_a_function_of_another_type_does_not_compile(self):
        for number, compiler in enumerate(self.COMPILERS):
            with self.assertRaises(subprocess.CalledProcessError) as failed:
                build("wrong", "macros.c", compiler=compiler, flags=["-DWRONG"], stderr=subprocess.PIPE)
            # Strict C99 has no static assertions with texts; there glibc's own words are the error.
            words = "__error_if_negative" if "-std=c99" in compiler else "scale() is not of the type its TASK_DEF"
            self.assertIn(words, failed.exception.stderr.decode().replace('" "', ""))


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
        for junk in HEADER.pack(0, 99, 0, 1), HEADER.pack(1 << 30, FRAME_TASK, 0, 1), HEADER.pack(5, FRAME_TASK, 0, 200) + b"12345":
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
                         (FAILURE, "SoftTimeLimitExceeded", "billiard.exceptions", []))
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
        self.assertEqual(self.lane.frame().value, {"state": "PROGRESS", "meta": {"done": 1, "total": 10}})


class Lanes(Case):
    bundle = "arithmetic"

    def fds(self, pid):
        return {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}

    def test_a_child_has_four_descriptors_and_the_zygote_keeps_its_own_high(self):
        lanes = [self.zygote.lane() for _ in range(5)]
        self.assertEqual(lanes[4].run("tasks.add", 1, 2).value, 3.0)
        fds = self.fds(lanes[4].pid)
        self.assertEqual(sorted(fds), [0, 1, 2, 3])
        self.assertEqual(fds[0], "/dev/null")
        self.assertTrue(fds[1].startswith("pipe:") and fds[1] == fds[2] and fds[3].startswith("socket:"))
        low = {fd: to for fd, to in self.fds(self.zygote.process.pid).items() if fd < 512}
        self.assertEqual(sorted(low), [0, 1, 2, 3])

    def test_a_zygotes_descriptors_do_not_grow_with_lanes_and_children_that_came_and_went(self):
        count = lambda: len(self.fds(self.zygote.process.pid))
        before = count()
        for _ in range(50):
            lane = self.zygote.lane()
            lane.run("tasks.add", 1, 2, flags=LAST_IN_CHILD)
            lane.exited()
            self.zygote.send(LANE_CLOSE, lane=lane.number)
            lane.close()
        self.lane.run("tasks.add", 1, 2)
        self.zygote.send(FORK, lane=999)
        self.assertEqual(self.zygote.expect(FORK_FAILED).status, 2)
        self.assertEqual(count(), before)

    def test_a_lane_serves_child_after_child(self):
        for number in range(20):
            self.assertEqual(self.lane.run("tasks.add", number, 1, flags=LAST_IN_CHILD).value, number + 1.0)
            record = self.lane.exited()
            self.assertEqual((record.status, record.swept), (0, 0))
            self.lane.fork()

    def test_a_busy_lane_is_not_forked_into(self):
        self.zygote.send(FORK, lane=self.lane.number)
        self.assertEqual(self.zygote.expect(FORK_FAILED).status, 16)

    def test_frames_of_an_earlier_child_are_skipped(self):
        lane = self.zygote.lane(fork=False)
        lane.send_task("tasks.add", [1, 1], sequence=50)
        lane.send_task("tasks.add", [2, 2], sequence=60)
        lane.fork(sequence=60)
        frame = lane.result()
        self.assertEqual((frame.sequence, frame.value), (60, 4.0))

    def test_closing_a_lane_kills_its_child_and_its_number_can_be_used_again(self):
        pid = self.lane.pid
        self.zygote.send(LANE_CLOSE, lane=self.lane.number)
        again = Lane(self.zygote, self.lane.number)
        record = self.lane.exited()
        self.assertEqual((record.pid, record.status), (pid, signal.SIGKILL))
        again.fork()
        self.assertEqual(again.run("tasks.add", 1, 2).value, 3.0)

    def test_a_kill_for_a_child_that_is_gone_hits_nobody(self):
        old = self.lane.pid
        self.lane.run("tasks.add", 1, 2, flags=LAST_IN_CHILD)
        self.lane.exited()
        self.lane.fork()
        self.zygote.send(KILL, lane=self.lane.number, pid=old)
        self.assertEqual(self.lane.run("tasks.add", 1, 2).value, 3.0)

    def test_the_end_of_a_lanes_socket_is_the_end_of_its_child(self):
        self.lane.data.shutdown(1)
        self.assertEqual(self.lane.exited().status, 0)

    def test_a_retired_zygote_leaves_when_its_last_child_does(self):
        self.zygote.send(RETIRE)
        self.assertEqual(self.lane.run("tasks.add", 1, 2).value, 3.0)
        self.lane.send_frame(FRAME_EXIT)
        self.assertEqual(self.lane.exited().status, 0)
        self.assertEqual(self.zygote.process.wait(10), 0)

    def test_the_zygote_outlives_signals_meant_for_the_service(self):
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            self.zygote.process.send_signal(number)
        self.assertEqual(self.lane.run("tasks.add", 1, 2).value, 3.0)
        status = Path(f"/proc/{self.lane.pid}/status").read_text()
        self.assertEqual(int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16), 0)
        of_libc = 3 << 31  # signals 32 and 33 are out of our hands
        self.assertEqual(int(re.search(r"SigIgn:\s*(\w+)", status)[1], 16) & ~of_libc, 0)

    def test_many_orders_in_one_datagram_are_answered(self):
        lanes = [self.zygote.lane(fork=False) for _ in range(10)]
        self.zygote.send_many(*[RECORD.pack(FORK, lane.number, 0, 0, 0, 0, 0, 0, 0, 0, 0) for lane in lanes])
        for lane in lanes:
            self.zygote.expect(FORKED, lane=lane.number)
            self.assertEqual(lane.run("tasks.add", 1, lane.number).value, 1.0 + lane.number)


class Throughput(Case):
    bundle = "arithmetic"

    def test_throughput_is_printed(self):
        count = 2000
        lanes = [self.zygote.lane(fork=False) for _ in range(8)]
        order = lambda lane: RECORD.pack(FORK, lane.number, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        begin = time.monotonic()
        for _ in range(count // 8):
            self.zygote.send_many(*map(order, lanes))
            for lane in lanes:
                lane.send_task("tasks.add", [4, 6], flags=LAST_IN_CHILD)
            for lane in lanes:
                lane.result()
            for lane in lanes:
                self.zygote.expect(FORKED, lane=lane.number)
                lane.exited()
        print(f"\n{count / (time.monotonic() - begin):.0f} fresh tasks/s over 8 lanes (Python driver)", end=" ")
        begin = time.monotonic()
        for _ in range(count):
            self.lane.run("tasks.add", 4, 6)
        print(f"{count / (time.monotonic() - begin):.0f} kept tasks/s at depth 1", end=" ")


if __name__ == "__main__":
    unittest.main()
