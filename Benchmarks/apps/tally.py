"""Counts tasks in a file that all processes map, and notes when the first one ran. Each process has a place of its own;
so many do not live at a time."""
import mmap
import os
import time

PLACES = 65536

with open(os.environ["NOOP_TALLY"], "r+b") as _file:
    _places = memoryview(mmap.mmap(_file.fileno(), PLACES * 8)).cast("Q")


def hit():
    _places[os.getpid() % PLACES] += 1


def stamp():
    """When the first task ran, in nanoseconds of CLOCK_MONOTONIC: in place 0, which no process has."""
    if _places[0] == 0:
        _places[0] = time.monotonic_ns()
