"""fork_floor.py APP COUNT: what a fork of this interpreter costs with the same imports, and nothing else: os.fork,
os._exit in the child, os.waitpid. Prints forks a second, CPU µs a fork and page faults a fork."""
import gc
import importlib
import os
import resource
import sys
import time

app = importlib.import_module(sys.argv[1]).app
app.loader.init_worker()
app.finalize()
importlib.import_module("celery.app.trace")
gc.collect()
gc.freeze()


def used():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both), both[1].ru_minflt


def forks(count):
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)


count = int(sys.argv[2])
forks(count // 10)
before, began = used(), time.perf_counter()
forks(count)
took, after = time.perf_counter() - began, used()
print(count / took, (after[0] - before[0]) / count * 1e6, (after[1] - before[1]) / count)
