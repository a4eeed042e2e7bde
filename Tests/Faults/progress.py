"""Tells, once a minute, how far a long run is: for whoever waits for it, and for the log of one that hung."""
import threading
import time

EVERY = 60  # seconds


class Progress:
    """`tell` returns the line. It is called by a thread of its own, so that a run that waits for something is told of,
    too; it must only read."""

    def __init__(self, tell, every=EVERY):
        self.tell, self.every = tell, every
        self.began = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.over.wait(self.every):
            print(f"{self.seconds():4.0f} s: {self.tell()}", flush=True)

    def seconds(self):
        return time.monotonic() - self.began

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
