"""The two systems under test: RabbitMQ with Redis, and the embedded SQLite file. Each can send, count and collect."""
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import redis
from lab import amqp, clients, command, settings

TASK = "recorder.work"
NOT_YET = 75  # exit status of `taskhost result`: nothing known, or still under way


class RabbitMQWithRedis:
    """A killed classic queue forgets acknowledgements of the last seconds, all of them (3.10 keeps them in memory) and
    delivers those messages again, marked redelivered: only what the host finds in the result store can tell it that
    they were done. A quorum queue writes acknowledgements down at once.
    """
    queue_type = "classic"
    forgets_acks = True

    def __init__(self, folder):
        self.broker = settings.server("AMQP_URL")
        self.backend = settings.server("REDIS_URL")
        self.results_in = redis.Redis.from_url(self.backend)
        queues = amqp.Queues()
        self.queue = queues.new("grand-kill", queue_type=self.queue_type)
        queues.connection.release()

    def send(self, tasks):
        """(key, arguments) each; returns when the broker has confirmed them all."""
        app = clients.app(self.broker, self.backend, task_create_missing_queue_type=self.queue_type)
        with app.producer_pool.acquire(block=True) as producer:
            for key, arguments in tasks:
                app.send_task(TASK, arguments, task_id=key, queue=self.queue, producer=producer)
        app.close()

    def results(self, keys):
        app = clients.app(self.broker, self.backend)
        found = {}
        values = self.results_in.mget([app.backend.get_key_for_task(key) for key in keys])
        for key, value in zip(keys, values):
            if value is not None:
                meta = app.backend.decode(value)
                found[key] = (meta["status"], meta["result"])
        app.close()
        return found

    def kill_broker(self):
        with open(settings.server("RABBITMQ_PIDFILE")) as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def restart_broker(self):
        subprocess.run([settings.server("RABBITMQ_RESTART")], check=True, timeout=90)

    def unsettled(self):
        """Ready, or in the hands of a host: copies of what is done may be left when every task has its result."""
        words = ["list_queues", "-q", "--no-table-headers", "name", "messages"]
        listed = subprocess.run([settings.server("RABBITMQCTL"), *words],
                                check=True, capture_output=True, text=True, timeout=60).stdout
        return int(dict(line.split("\t") for line in listed.splitlines())[self.queue])

    def waiting(self):
        return self.count(self.queue)

    def dead(self):
        return self.count(f"{self.queue}.dead")

    def count(self, queue):
        queues = amqp.Queues()
        try:
            return queues.ready(queue) or 0
        finally:
            queues.connection.release()


class RabbitMQQuorumWithRedis(RabbitMQWithRedis):
    queue_type = "quorum"
    forgets_acks = False


class Embedded:
    queue = "grand-kill"
    forgets_acks = False

    def __init__(self, folder):
        self.folder = folder
        self.broker = self.backend = f"sqlite://{folder}/taskhost.db"

    def send(self, tasks):
        def call(one):
            key, arguments = one
            command.run(self.folder, "call", TASK, *arguments, "--id", key, "--queue", self.queue, "-b", self.broker,
                        "--json").expect(0)
        self.all(call, tasks)

    def results(self, keys):
        """Asks the command line; a key it knows nothing of is left out."""
        def ask(key):
            done = command.run(self.folder, "result", key, "-b", self.broker, "--json")
            assert done.status in (0, 1, NOT_YET), done
            return key, done.json["state"], done.json.get("result")
        return {key: (state, value) for key, state, value in self.all(ask, keys) if state != "PENDING"}

    def unsettled(self):
        """Nothing comes back here that was settled, so no copies are left."""
        return 0

    def waiting(self):
        return command.run(self.folder, "purge", self.queue, "-b", self.broker, "--force",
                           "--json").expect(0).json[self.queue]

    def dead(self):
        return len(command.run(self.folder, "dead", "ls", self.queue, "-b", self.broker, "--json").expect(0).json_lines)

    def all(self, work, items):
        with ThreadPoolExecutor(12) as pool:
            return list(pool.map(work, items))
