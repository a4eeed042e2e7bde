"""An app of the journeys: every way in which a task of Celery can end."""
import datetime
import decimal
import math
import os
import subprocess
import sys
import threading
import uuid

import celery
app = celery.Celery("endings")
NAMES = []


def ending(function=None, **options):
    """A task whose result is compared with what Celery's own worker makes of it."""
    if function is None:
        return lambda function: ending(function, **options)
    NAMES.append(function.__name__)
    return app.task(**options)(function)


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


@ending(bind=True)
def left_as_failure(self):
    self.update_state(state="FAILURE", meta={"exc_type": "ValueError", "exc_message": ["m"], "exc_module": "builtins", "own": 1})
    raise celery.exceptions.Ignore()


@ending(bind=True)
def left_as_success(self):
    self.update_state(state="PROGRESS", meta={"done": 1})
    self.update_state(state="SUCCESS", meta="its own")
    raise celery.exceptions.Ignore()


@ending(ignore_result=True, store_errors_even_if_ignored=True)
def keeps_its_error():
    raise Plain("kept")


@ending(bind=True)
def names_of_its_request(self):
    return sorted(name for name in vars(self.request) if name[0] != "_")


@ending
def exits_at_once():
    os._exit(3)


@ending
def exits_at_once_well():
    os._exit(0)


@ending
def kills_itself():
    os.kill(os.getpid(), 9)


import apart  # noqa: E402,F401 (more tasks, which need what stands here)
