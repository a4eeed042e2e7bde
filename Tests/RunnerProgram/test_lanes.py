"""Lanes, their descriptors, and orders to the zygote."""

import os
import re
import signal
import time
from pathlib import Path

from case import Case
from runner_driver import *


class Descriptors(Case):
    bundle = "arithmetic"
    confine = OPEN

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


class Lanes(Case):
    bundle = "arithmetic"

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
