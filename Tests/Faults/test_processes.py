"""Processes are told from later ones that have got their ids: a long run uses each id more than once."""
import os
import subprocess
import time

from lab import processes


def test_a_process_that_was_seen_lives_until_it_ends():
    sleeper = subprocess.Popen(["sleep", "60"])
    (seen,) = [pid for pid in processes.descendants(os.getpid()) if pid == sleeper.pid]
    try:
        assert processes.alive(seen)
        assert processes.alive_since(sleeper.pid, time.monotonic_ns())
    finally:
        sleeper.kill()
        sleeper.wait()
    assert not processes.alive(seen)
    assert not processes.alive_since(sleeper.pid, time.monotonic_ns())


def test_a_process_that_got_the_id_of_another_is_not_taken_for_it():
    (me,) = [pid for pid in processes.everyone() if pid == os.getpid()]
    earlier = processes.Pid(me, me.started - 1)
    assert processes.alive(me) and not processes.alive(earlier)
    assert processes.alive_since(os.getpid(), time.monotonic_ns())
    assert not processes.alive_since(os.getpid(), 0)
