"""A monitor beside the benchmark: takes every event of tasks from RabbitMQ and counts them, without decoding them.

It is a process of its own, as a monitor is; what it and the broker need of the machine is part of the price.
"""
import os
import select
import socket
import subprocess
import sys
import time

import kombu

PATIENCE = 20  # seconds without a further event after which the rest is taken for lost
SENT = '"type": "task-', '"type":"task-'


class Watcher:
    """From the benchmark's side. Returns from the constructor when it listens."""

    def __init__(self, broker):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), broker], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "listening\n"

    def finish(self, wanted):
        """How many came; fewer than wanted when a broker or a host that was pressed left some out."""
        found, _ = self.process.communicate(f"{wanted}\n", timeout=PATIENCE + 60)
        return int(found)


def watch(broker):
    count = 0

    def take(message):
        nonlocal count
        text = message.body if isinstance(message.body, str) else message.body.decode()
        count += sum(text.count(one) for one in SENT)

    with kombu.Connection(broker) as connection:
        exchange = kombu.Exchange("celeryev", type="topic", durable=True)
        queue = kombu.Queue("", exchange, routing_key="task.#", exclusive=True, auto_delete=True)
        with connection.Consumer(queue, on_message=take, no_ack=True):
            print("listening", flush=True)
            wanted, moved, before = None, time.monotonic(), 0
            while wanted is None or (count < wanted and time.monotonic() < moved + PATIENCE):
                try:
                    connection.drain_events(timeout=0.2)
                except socket.timeout:
                    pass  # nothing came just now
                if count != before:
                    before, moved = count, time.monotonic()
                if wanted is None and ready(sys.stdin):
                    wanted, moved = int(sys.stdin.readline()), time.monotonic()
    print(count, flush=True)


def ready(stream):
    return bool(select.select([stream], [], [], 0)[0])


if __name__ == "__main__":
    watch(sys.argv[1])
