"""An app of the journeys: every way in which a task of Celery can end."""
import datetime
import decimal
import math
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
import uuid

import celery
from celery.exceptions import Ignore, Reject

app = celery.Celery("endings")
NAMES = []


def ending(function):
    """A task whose result is compared with what Celery's own worker makes of it."""
    NAMES.append(function.__name__)
    return app.task(function)


class Plain(Exception):
    pass


class NeedsTwo(Exception):
    """Cannot be pickled: its constructor takes more than its args have."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Holds(Exception):
    """Cannot be pickled: it has a lock."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


class HoldsAsArgument(KeyError):
    pass


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")

    __repr__ = __str__


class Outer:
    class Inner(Exception):
        pass


class Odd:
    """No JSON."""

    def __repr__(self):
        return "<Odd>"


def deep(level):
    if level == 0:
        raise Plain("deep")
    deep(level - 1)


@ending
def caused():
    try:
        deep(2)
    except Plain as error:
        raise ValueError("outer") from error


@ending
def in_context():
    try:
        {}["missing"]
    except KeyError:
        raise Plain("while handling")


@ending
def hidden():
    try:
        {}["missing"]
    except KeyError:
        raise Plain("alone") from None


@ending
def own_frames():
    deep(40)


@ending
def without_end():
    without_end.run()


@ending
def needs_two():
    raise NeedsTwo("one", 2)


@ending
def holds():
    raise Holds("a lock")


@ending
def holds_as_argument():
    raise HoldsAsArgument(threading.Lock().__class__, lambda: 1)


@ending
def mute():
    raise Mute("x")


@ending
def nested():
    raise Outer.Inner("nested")


@ending
def local():
    class Local(Exception):
        pass
    raise Local("a class of this call", 1)


@ending
def arguments():
    raise Plain(1, 2.5, "three", None, [4], {"five": 5}, b"bytes", datetime.date(2026, 11, 30), Odd(), {1, 2})


@ending
def surrogate():
    raise Plain("half a character: \udc80")


@ending
def nul():
    raise Plain("a\0b")


@ending
def several_lines():
    raise Plain("one\ntwo")


@ending
def stop_iteration():
    next(iter(()))


@ending
def os_error():
    open("/no/such/file")


@ending
def unicode_error():
    b"\xff".decode()


@ending
def syntax_error():
    compile("1 +", "<here>", "exec")


@ending
def assertion():
    assert 1 == 2, "they differ"


@ending
def wrong_arguments(one, *, two):
    pass


@ending
def noted():
    error = Plain("noted")
    if hasattr(error, "add_note"):
        error.add_note("a note")
    raise error


@ending
def grouped():
    raise ExceptionGroup("two", [ValueError(1), TypeError(2)])  # noqa: F821 (3.11)


@ending
def celerys_reject_of_an_exception():
    raise celery.exceptions.TimeoutError("slow")


@ending
def gives_odd():
    return Odd()


@ending
def gives_set():
    return {1}


@ending
def gives_exception():
    return Plain("a value")


@ending
def gives_generator():
    return (one for one in ())


@ending
def gives_circle():
    circle = []
    circle.append(circle)
    return circle


@ending
def gives_many():
    return {"int": 2**70, "float": 0.1, "nan": math.nan, "inf": -math.inf, "bytes": b"\xff\x00", "text": "\u00e4\u20ac\U0001f600",
            "date": datetime.date(2026, 11, 30), "time": datetime.datetime(2026, 11, 30, 1, 2, 3, 4), "none": None,
            "decimal": decimal.Decimal("1.10"), "uuid": uuid.UUID(int=5), "tuple": (1, (2,)), 7: "seven", True: 1,
            "surrogate": "\udc80", "bytes of text": b"text", "zone": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}


@ending
def gives_nothing():
    pass


@ending
def gives_true():
    return True


@ending
def gives_text():
    return "text"


@ending
def closes_stdout():
    print("before")
    sys.stdout.close()
    os.close(1)


@ending
def prints():
    print("a line")
    sys.stderr.write("an unfinished line")


@ending
def starts_threads():
    seen = []
    threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(seen)


@ending
def forks():
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@ending
def runs_programs():
    return subprocess.run(["sh", "-c", "echo out; exit 3"], capture_output=True, text=True).returncode


@ending
def a_thread_fails():
    one = threading.Thread(target=deep, args=(0,))
    one.start()
    one.join()
    return "went on"


@ending
def system_exit():
    sys.exit(3)


@ending
def system_exit_with_text():
    sys.exit("words")


@ending
def keyboard_interrupt():
    raise KeyboardInterrupt("ctrl-c")


@ending
def base_exception():
    class Base(BaseException):
        pass
    raise Base("of its own")


@ending
def generator_exit():
    raise GeneratorExit()


@ending
def exits_at_once():
    os._exit(3)


@ending
def exits_at_once_well():
    os._exit(0)


@ending
def kills_itself():
    os.kill(os.getpid(), 9)


# What follows differs from Celery for a reason, or takes time: tests of its own.

@app.task
def memory():
    raise MemoryError("none left")


def in_pool(number):
    return number * number


@app.task
def multiprocesses():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(in_pool, range(4))


@app.task
def rejects(requeue=False):
    raise Reject(ValueError("no"), requeue=requeue)


@app.task(bind=True)
def own_failure(self):
    self.update_state(state="FAILURE", meta={"exc_type": "Plain", "exc_message": ["by hand"], "exc_module": __name__})
    raise Ignore()


@app.task(ignore_result=True)
def ignored_odd():
    return Odd()


@app.task(soft_time_limit=0.3, time_limit=20)
def waits(how, path):
    """Waits for good, unless the soft limit ends it; then says how long it took."""
    began = time.monotonic()
    try:
        waiting[how]()
    except celery.exceptions.SoftTimeLimitExceeded:
        with open(path, "a") as file:
            file.write(f"{how} {time.monotonic() - began:.2f}\n")
        raise


def read_socket():
    one, _other = socket.socketpair()
    one.recv(1)


def take_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def reckon():
    while True:
        pass


waiting = {"sleep": lambda: time.sleep(30), "socket": read_socket, "lock": take_lock, "reckon": reckon,
           "subprocess": lambda: subprocess.run(["sleep", "30"]), "join": lambda: threading.Event().wait()}


async def wait_in_loop(how):
    import asyncio
    if how == "reckon":
        reckon()
    await asyncio.gather(asyncio.sleep(30), asyncio.sleep(20))


@app.task(soft_time_limit=0.3, time_limit=20)
async def waits_in_loop(how):
    try:
        await wait_in_loop(how)
    except celery.exceptions.SoftTimeLimitExceeded:
        return f"stopped while it would {how}"


@app.task
async def adds_in_loop(x, y):
    import asyncio
    await asyncio.sleep(0.001)
    return x + y


@app.task
async def fails_in_loop():
    await adds_in_loop.run(1, 2)
    raise Plain("in a loop")


@app.task(bind=True, autoretry_for=(Plain,), retry_backoff=False, default_retry_delay=0, max_retries=2)
async def retries_in_loop(self):
    if self.request.retries < 2:
        raise Plain("again")
    return self.request.retries


def reads_nowhere():
    import ctypes
    ctypes.string_at(8)


@app.task
def crashes():
    reads_nowhere()


@app.task
def identity():
    import random
    import tempfile
    return [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), next(tempfile._get_candidate_names()), os.getpid()]
