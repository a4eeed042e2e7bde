"""A broker, a result store, a worker and a client; a good task is timed beside whatever is refused."""
import os
import subprocess
import time
import uuid

from lab import clients, settings
from lab.worker import Worker

# Beside refusals a good task runs as it does alone; machines that run tests are slow at times.
PROMPT = 2.0
SLACK = 10.0
# Bytes of a message that the tests' RabbitMQ takes.
LARGEST = 1 << 20


def rabbitmqctl(*words):
    return subprocess.run([settings.server("RABBITMQCTL"), *words], check=True, capture_output=True, text=True,
                          timeout=240).stdout


class Site:
    """A broker, a result store, a worker with two slots that serves one queue, and a Celery client."""

    def __init__(self, folder, broker, backend, bundle, queue, client_broker=None, **how):
        self.queue = queue
        self.app = clients.app(client_broker or broker, backend)
        self.app.conf.task_create_missing_queues = True
        self.worker = Worker(str(folder / "worker"), broker, backend, queue, [bundle], level="INFO", **how)
        self.folder = folder
        self.usual = self.good()

    def signature(self, name, *args, **options):
        return self.app.signature(f"refusals.{name}", args, options=options)

    def counter(self):
        return str(self.folder / uuid.uuid4().hex)

    @staticmethod
    def starts(path):
        return os.path.getsize(path) // len("start\n") if os.path.exists(path) else 0

    def good(self):
        """Seconds that a good task takes."""
        path = self.counter()
        began = time.monotonic()
        result = self.app.send_task("refusals.step", (path,), queue=self.queue)
        assert result.get(timeout=60) == "done"
        return time.monotonic() - began

    def stays_prompt(self):
        assert self.good() < PROMPT + SLACK * max(1, self.usual), self.worker.tail()

    def state(self, task_id):
        return self.app.AsyncResult(task_id).state

    def wait_for_state(self, task_id, state, seconds=30):
        self.worker.wait_for(f"{task_id} to be {state}, it is {self.state(task_id)}",
                             lambda: self.state(task_id) == state, seconds)

    def reason(self, task_id):
        return str(self.app.AsyncResult(task_id).result)

    def close(self):
        self.app.close()
        self.worker.close()
