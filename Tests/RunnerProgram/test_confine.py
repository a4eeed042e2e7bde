"""What a zygote and its children are kept from (confine.c), as root and as an ordinary user."""

import ctypes
import os
import signal
import unittest
from functools import lru_cache
from pathlib import Path

from bundles import FOLDER, RUNNER, build
from runner_driver import *

NOBODY = 65534


@lru_cache(None)
def curious():
    return build("curious", "curious.c")


def landlock():
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


class Confined(unittest.TestCase):
    def zygote(self, *confine, user=None):
        os.chmod(FOLDER, 0o755)
        zygote = Zygote(RUNNER, curious(), confine=confine, user=user)
        zygote.load()
        self.addCleanup(zygote.close)
        return zygote

    def users(self):
        """Root runs both; who is no root is an ordinary user already."""
        return [None, NOBODY] if os.getuid() == 0 else [None]

    def ask(self, lane, *words, **how):
        return lane.run("curious.try_it", *map(str, words), **how).value

    def test_rights_umask_and_rank_are_set_for_every_child(self):
        for user in self.users():
            zygote = self.zygote(*LAW, user=user)
            for lane in [zygote.lane(), zygote.lane()]:
                status = dict(line.split(":\t") for line in self.ask(lane, "read", "/proc/self/status").splitlines()
                              if ":\t" in line)
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(status["Umask"], "0077")
                self.assertEqual(self.ask(lane, "read", "/proc/self/oom_score_adj"), "500\n")
                self.assertEqual(self.ask(lane, "dumpable"), "0")
            self.assertEqual(Path(f"/proc/{zygote.process.pid}/oom_score_adj").read_text(), "0\n")

    def test_an_ordinary_user_s_tasks_cannot_look_into_each_other_or_the_zygote(self):
        if os.getuid() != 0:
            self.skipTest("the open case needs another user than ours")
        for confine, outcome in [(LAW, ["EACCES", "EPERM"]), (["debuggable=1"], ["ok"])]:
            zygote = self.zygote(*confine, user=NOBODY)
            lane, victim = zygote.lane(), zygote.lane()
            for pid in victim.pid, zygote.process.pid:
                for attempt in [("read", f"/proc/{pid}/environ"), ("open", f"/proc/{pid}/mem"), ("ptrace", pid),
                                ("open", f"/proc/{pid}/fd/3")]:
                    # A descriptor that is not there, or a socket that cannot be opened, is no secret.
                    told = self.ask(lane, *attempt)
                    told = told if told in ("EACCES", "EPERM") else "ok"
                    self.assertIn(told, outcome, attempt)

    @unittest.skipUnless(landlock() >= 6, "this kernel cannot keep signals in (Linux 6.12)")
    def test_tasks_signal_nobody_but_their_own_processes(self):
        for user in self.users():
            zygote = self.zygote(*LAW, user=user)
            lane, victim = zygote.lane(), zygote.lane()
            for pid in victim.pid, zygote.process.pid:
                self.assertEqual(self.ask(lane, "kill", pid, int(signal.SIGSTOP)), "EPERM")
            self.assertEqual(self.ask(lane, "kill_child"), str(int(signal.SIGKILL)))
            self.assertEqual(self.ask(victim, "kill", 0, 0), "ok")
            free = self.zygote(*LAW[:2], "signals=1", user=user)
            lane, victim = free.lane(), free.lane()
            self.assertEqual(self.ask(lane, "kill", victim.pid, 0), "ok")

    @unittest.skipUnless(landlock() >= 6, "this kernel cannot keep signals in (Linux 6.12)")
    def test_a_bundle_that_is_loaded_cannot_signal_the_worker(self):
        for user in self.users():
            self.assertEqual(self.ask(self.zygote(*LAW, user=user).lane(), "signal_while_loading"), "EPERM")
        self.assertEqual(self.ask(self.zygote(*LAW[:2], "signals=1").lane(), "signal_while_loading"), "ok")

    @unittest.skipUnless(landlock() >= 1, "this kernel has no Landlock")
    def test_tasks_write_below_the_folders_that_are_named_and_nowhere_else(self):
        allowed, forbidden = FOLDER / "may", FOLDER / "may-not"
        for folder in allowed, forbidden:
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        for user in self.users():
            lane = self.zygote(*LAW, f"write={allowed}", user=user).lane()
            self.assertEqual(self.ask(lane, "write", allowed / f"file-{user}"), "ok")
            self.assertEqual(self.ask(lane, "write", forbidden / f"file-{user}"), "EACCES")
            self.assertEqual(self.ask(lane, "write", "/dev/null"), "ok")
            self.assertNotIn(self.ask(lane, "read", "/proc/self/stat"), ["EACCES", "EPERM"])
        zygote = Zygote(RUNNER, curious(), confine=[f"write={FOLDER}/missing"])
        with self.assertRaisesRegex(ValueError, "missing of .sandbox. writable cannot be used"):
            text = zygote.expect(REFUSED).text
            raise ValueError(text)
        zygote.control.close()
        zygote.process.wait(timeout=15)
        zygote.process.stderr.close()

    def test_a_file_longer_than_allowed_ends_its_writer(self):
        lane = self.zygote("file_mib=1").lane()
        self.assertEqual(self.ask(lane, "fill", FOLDER / "short", 1 << 20), "ok")
        lane.send_task("curious.try_it", ["fill", str(FOLDER / "long"), str(2 << 20)])
        self.assertEqual(lane.exited().status & 0x7f, signal.SIGXFSZ)

    @unittest.skipUnless(os.getuid() == 0, "needs another user than ours")
    def test_processes_are_counted_for_the_user(self):
        lane = self.zygote("processes=1", user=NOBODY).lane()
        self.assertEqual(self.ask(lane, "fork"), "EAGAIN")

    def test_processor_time_is_bounded_for_a_child_of_one_task_with_a_hard_limit(self):
        lane = self.zygote(*LAW).lane()
        self.assertEqual(self.ask(lane, "cpu", hard=2.0), "-1")
        fresh = self.zygote(*LAW).lane()
        told = int(self.ask(fresh, "cpu", hard=2.0, flags=LAST_IN_CHILD))
        self.assertEqual(told, 7 * os.cpu_count() + 1)

    def test_a_word_that_means_nothing_is_refused(self):
        for word in "umask=9", "oom=5000", "mystery=1", "debuggable", "file_mib=", "signals=2":
            done = subprocess.run([RUNNER, "zygote", "x", "x", word], capture_output=True, text=True)
            self.assertEqual(done.returncode, 64, word)
            self.assertIn(word, done.stderr)
