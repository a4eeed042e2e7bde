"""Threads that importing the app has started: a process that is forked for ever after must have one.

Those of libraries that can stop and start again are stopped; the rest is named, with the library it belongs to.
"""
import ctypes
import os
import re
import sys
import threading

PATIENCE = 2.0  # seconds for one to end
# What each child starts again, and stops at its end.
again = []


def refuse():
    """None, or which threads the import has started and where they belong."""
    if len(ids()) > 1:
        stop_known()
        end_pools_of_openmp()
        let_libraries_end_theirs()
    left = ids()
    if len(left) == 1:
        return None
    known = {one.native_id: one for one in threading.enumerate()}
    names = [described(number, known.get(number)) for number in left if number != os.getpid()]
    each = [name if names.count(name) == 1 else f"{names.count(name)} of {name}" for name in dict.fromkeys(names)]
    return (f"starts threads while the app is imported, and a process with threads cannot be forked safely: "
            f"{', '.join(each)}. Start them in a handler of worker_process_init, or when a task first needs them")


def ids():
    return [int(number) for number in os.listdir("/proc/self/task")]


# ---- libraries that can stop theirs ----

def listener_of_logging(owner, thread):
    """logging.handlers.QueueListener: what it is given in a child is written there."""
    owner.stop()
    again.append(owner)


def sentry(owner, thread):
    """Starts again by itself when there is something to send."""
    owner.flush(PATIENCE)
    owner.kill()


def telemetry_batch(owner, thread):
    """OpenTelemetry's batches of spans and log records; a hook of its own starts it again after a fork."""
    owner._shutdown = True
    owner._worker_awaken.set()
    thread.join(PATIENCE)
    owner._shutdown = False


def telemetry_metrics(owner, thread):
    owner._shutdown_event.set()
    thread.join(PATIENCE)
    owner._shutdown_event.clear()


# Where the function is defined that a thread runs, as a method of the object that can stop it.
RULES = {
    "logging.handlers.QueueListener._monitor": listener_of_logging,
    "sentry_sdk.worker.BackgroundWorker._target": sentry,
    "opentelemetry.sdk._shared_internal.BatchProcessor.worker": telemetry_batch,
    "opentelemetry.sdk.trace.export.BatchSpanProcessor.worker": telemetry_batch,
    "opentelemetry.sdk.metrics._internal.export.PeriodicExportingMetricReader._ticker": telemetry_metrics,
}


def stop_known():
    for thread in threading.enumerate():
        target = getattr(thread, "_target", None)
        owner = getattr(target, "__self__", None)
        rule = RULES.get(f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', '')}")
        if rule is None or owner is None:
            continue
        try:
            rule(owner, thread)
        except Exception as error:  # another version of it: the thread is named, then
            print(f"taskhost: thread '{thread.name}' cannot be stopped: {error!r}", file=sys.stderr)
        thread.join(PATIENCE)


def start_again():
    """In a child, before its first task."""
    for owner in again:
        owner.start()


def stop_again():
    """In a child that ends by itself: what waits in a queue is written."""
    for owner in again:
        owner.stop()


def end_pools_of_openmp():
    """Models that are trained or asked while the app is imported leave OpenMP's threads, which do not survive a fork:
    they are made anew where they are next needed (omp_pause_resource_all, of OpenMP 5)."""
    for library in loaded(re.compile(r"/lib(gomp|omp|iomp5)[^/]*\.so[^/]*$")):
        pause = getattr(ctypes.CDLL(library), "omp_pause_resource_all", None)
        if pause is not None:
            pause(2)  # omp_pause_hard


def let_libraries_end_theirs():
    """OpenBLAS and others end their threads before a fork, and start them again when they are next used."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


# ---- names ----

def described(number, thread):
    """Name, and the module of what it runs; of a native thread its name and its library are known."""
    if thread is None:
        with open(f"/proc/self/task/{number}/comm") as file:
            name = file.read().strip()
        library = library_of(number)
        return f"a native thread '{name}'" + (f" of {library}" if library else "")
    target = getattr(thread, "_target", None) or type(thread)
    return f"'{thread.name}' of {target.__module__}.{getattr(target, '__qualname__', '')}"


# Of the system and of Python, in which threads of others wait.
COMMON = re.compile(r"^(libc|libpthread|libstdc\+\+|libgcc_s|ld-linux.*|libpython.*|libm|python)[-.]|^\[|^taskhost")
DEEPEST = 64 << 10


def library_of(number):
    """Whose code is innermost on the thread's stack, the system's own left out; None: it cannot be told."""
    try:
        with open(f"/proc/self/task/{number}/syscall") as file:
            words = file.read().split()
        if len(words) < 3:
            return None  # it runs
        stack, counter = int(words[-2], 16), int(words[-1], 16)
        with open("/proc/self/maps") as file:
            maps = [line.split(None, 5) for line in file]
        ranges = [(*(int(end, 16) for end in one[0].split("-")), one[1], one[5].strip() if len(one) > 5 else "")
                  for one in maps]
        end = next(high for low, high, _, _ in ranges if low <= stack < high)
        with open("/proc/self/mem", "rb") as memory:
            memory.seek(stack)
            found = memoryview(memory.read(min(end - stack, DEEPEST) // 8 * 8)).cast("Q")
    except (OSError, ValueError, StopIteration):
        return None
    code = [(low, high, os.path.basename(path)) for low, high, rights, path in ranges if "x" in rights]
    for word in (counter, *found):
        for low, high, name in code:
            if low <= word < high and name and not COMMON.match(name):
                return name
    return None


def loaded(pattern):
    """The files mapped into this process whose path the pattern finds."""
    with open("/proc/self/maps") as file:
        paths = {line.split(None, 5)[5].strip() for line in file if line.count("/")}
    return sorted(path for path in paths if pattern.search(path))
