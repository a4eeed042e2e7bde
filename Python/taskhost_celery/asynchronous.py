"""`async def` tasks, which Celery does not have: each runs in an event loop of its own, to its end."""
import asyncio
import inspect
import signal

from billiard.exceptions import SoftTimeLimitExceeded


def called(function, task):
    """What is called for the task: `function`, or for a coroutine function what runs it to its end."""
    if not inspect.iscoroutinefunction(inspect.unwrap(task.run)):
        return function
    place = below_pydantic(task.run)
    if place is not None:
        # Celery's wrapper for pydantic=True looks at what the function returns.
        place.cell_contents = in_loop(place.cell_contents)
        return function
    if inspect.iscoroutinefunction(inspect.unwrap(getattr(task, "_orig_run", None))):
        # Below Celery's wrapper for autoretry_for, which is to see what the coroutine raises.
        task._orig_run = in_loop(task._orig_run)
        return function
    return in_loop(function)


def below_pydantic(function):
    """The cell in which Celery's wrapper for pydantic=True has the function that it wraps; None: there is none."""
    while hasattr(function, "__wrapped__"):
        wrapped = function.__wrapped__
        function = getattr(function, "__func__", function)
        if function.__globals__["__name__"] == "celery.app.base":
            return next((one for one in function.__closure__ or () if one.cell_contents is wrapped), None)
        function = wrapped
    return None


def in_loop(function):
    def run(*args, **kwargs):
        value = function(*args, **kwargs)
        if not inspect.iscoroutine(value):
            return value
        value, error = asyncio.run(to_its_end(value))
        if error is not None:
            raise error
        return value

    return run


async def to_its_end(coroutine):
    """Its value and what it has raised: without the frames of the loop, which are none of the task's."""
    main = Interruptible(coroutine, asyncio.get_running_loop(), asyncio.current_task())
    before = signal.signal(signal.SIGUSR1, main.stop)
    try:
        return await main, None
    except Exception as error:
        return None, error
    finally:
        signal.signal(signal.SIGUSR1, before)


class Interruptible:
    """Awaits a coroutine, and raises SoftTimeLimitExceeded where it waits when the soft limit is reached."""

    def __init__(self, coroutine, loop, task):
        self.coroutine, self.loop, self.task = coroutine, loop, task
        self.stopping = False

    def stop(self, number, frame):
        """The handler of the soft limit's signal. What reckons is interrupted at once, what waits by way of the loop."""
        if asyncio.current_task(self.loop) is not None:
            raise SoftTimeLimitExceeded()
        self.stopping = True
        self.loop.call_soon_threadsafe(self.task.cancel)

    def __await__(self):
        steps = self.coroutine.__await__()
        go_on, given = steps.send, None
        while True:
            try:
                waited_for = go_on(given)
            except StopIteration as end:
                return end.value
            try:
                go_on, given = steps.send, (yield waited_for)
            except BaseException as error:
                go_on, given = steps.throw, self.instead_of(error)

    def instead_of(self, error):
        if not self.stopping or not isinstance(error, asyncio.CancelledError):
            return error
        self.stopping = False
        if hasattr(self.task, "uncancel"):
            self.task.uncancel()
        return SoftTimeLimitExceeded()
