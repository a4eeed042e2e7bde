"""Calls to bundles, through a runner of their own, as the host makes them."""

import contextlib

import runner_driver


class Bundle:
    """One bundle, loaded. `call` runs a task in the child at hand; `fresh` in a new one."""

    def __init__(self, runner, path):
        self.zygote = runner_driver.Zygote(runner, path)
        self.manifest = self.zygote.load()
        self.lane = None
        self.states, self.sent = [], []

    def names(self):
        return {task["name"] for task in self.manifest["tasks"]}

    def send(self, name, /, *args, **kwargs):
        if self.lane is None:
            self.lane = self.zygote.lane()
        return self.lane.send_task(name, args, kwargs)

    def call(self, name, /, *args, **kwargs):
        """The result's frame; states on the way are kept in `states`, what it sends in `sent`."""
        self.send(name, *args, **kwargs)
        return self.finish()

    def finish(self):
        self.states, self.sent = [], []
        while True:
            frame = self.lane.frame(timeout=30)
            if frame.type == runner_driver.FRAME_RESULT:
                return frame
            if frame.type == runner_driver.FRAME_STATE:
                self.states.append(frame.value)
            if frame.type == runner_driver.FRAME_SEND:
                self.sent.append(frame)

    def value(self, name, /, *args, **kwargs):
        frame = self.call(name, *args, **kwargs)
        assert frame.code == runner_driver.SUCCESS, f"{name}: {frame.text}"
        return frame.value

    def failure(self, name, /, *args, **kwargs):
        frame = self.call(name, *args, **kwargs)
        assert frame.code == runner_driver.FAILURE, f"{name}: {frame.text}"
        return frame.value

    def stopped(self, name, /, *args, **kwargs):
        """The result's frame after a soft limit that comes once the task has reported its first state."""
        sequence = self.send(name, *args, **kwargs)
        while self.lane.frame(timeout=30).type != runner_driver.FRAME_STATE:
            pass
        self.lane.soft(sequence)
        return self.finish()

    def fresh(self):
        if self.lane is not None:
            self.lane.close()
        self.lane = None


@contextlib.contextmanager
def loaded(runner, path):
    bundle = Bundle(runner, path)
    try:
        yield bundle
    finally:
        bundle.fresh()
        bundle.zygote.close()
