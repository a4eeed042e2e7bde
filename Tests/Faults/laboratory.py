"""The systems under test: RabbitMQ with Redis, Redis alone, PostgreSQL alone, the embedded SQLite file. Each can send, count and collect,
and has a `name` with its version."""
import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing

import redis
from lab import amqp, bundles, clients, command, postgresql, settings
from lab.worker import Worker
from servers.durable import DurableRedis
from servers.postgresql import PostgreSQL

TASK = "recorder.work"
HERE = os.path.dirname(os.path.abspath(__file__))
MANY = 50  # tasks
AT_ONCE = 1000  # tasks in one call: their list is one argument, of which Linux takes 128 KiB


def celery_send(app, queue, tasks):
    """(key, arguments) each, by one producer; closes the app."""
    with app.producer_pool.acquire(block=True) as producer:
        for key, arguments in tasks:
            app.send_task(TASK, arguments, task_id=key, queue=queue, producer=producer)
    app.close()


def celery_send_linked(app, queue, tasks):
    """The same in pairs: each first one calls its second one."""
    def signature(one):
        key, arguments = one
        return app.signature(TASK, arguments, immutable=True, options={"task_id": key, "queue": queue})

    with app.producer_pool.acquire(block=True) as producer:
        for first, second in zip(tasks[::2], tasks[1::2]):
            caller = signature(first)
            caller.link(signature(second))
            caller.apply_async(producer=producer)
    app.close()


def celery_results(broker, backend, keys):
    """What a Celery client finds, in one question: {key: (state, value)}, without those nothing is known of."""
    app = clients.app(broker, backend)
    found = {}
    values = redis.Redis.from_url(backend).mget([app.backend.get_key_for_task(key) for key in keys])
    for key, value in zip(keys, values):
        if value is not None:
            meta = app.backend.decode(value)
            found[key] = (meta["status"], meta["result"])
    app.close()
    return found


def redis_version(url):
    """With its name: Valkey tells both."""
    told = redis.Redis.from_url(url).info("server")
    return f"Valkey {told['valkey_version']}" if "valkey_version" in told else f"Redis {told['redis_version']}"


class RabbitMQWithRedis:
    """A killed classic queue forgets acknowledgements of the last seconds, all of them (3.10 keeps them in memory) and
    delivers those messages again, marked redelivered: only what the host finds in the result store can tell it that
    they were done. A quorum queue writes acknowledgements down at once.
    """
    queue_type = "classic"
    forgets_acks = True

    def __init__(self, folder):
        self.broker = settings.server("AMQP_URL")
        # Its own, since it is killed, and has to keep what it confirmed.
        self.store = DurableRedis(folder)
        self.backend = self.store.url()
        queues = amqp.Queues()
        self.queue = queues.new("grand-kill", queue_type=self.queue_type)
        self.name = (f"RabbitMQ {'.'.join(map(str, queues.version))} {self.queue_type}, "
                     f"results in {redis_version(self.backend)}")
        queues.connection.release()

    def app(self):
        return clients.app(self.broker, self.backend, task_create_missing_queue_type=self.queue_type)

    def send(self, tasks):
        """(key, arguments) each; returns when the broker has confirmed them all."""
        celery_send(self.app(), self.queue, tasks)

    def send_linked(self, tasks):
        celery_send_linked(self.app(), self.queue, tasks)

    def results(self, keys):
        return celery_results(self.broker, self.backend, keys)

    def kill_store(self):
        self.store.kill()

    def restart_store(self):
        self.store.start()

    def close(self):
        self.store.close()

    def kill_broker(self):
        with open(settings.server("RABBITMQ_PIDFILE")) as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def restart_broker(self):
        subprocess.run([settings.server("RABBITMQ_RESTART")], check=True, timeout=90)

    def unsettled(self):
        """Ready, or in the hands of a host: copies of what is done may be left when every task has its result."""
        words = ["list_queues", "-q", "--no-table-headers", "name", "messages"]
        listed = subprocess.run([settings.server("RABBITMQCTL"), *words],
                                check=True, capture_output=True, text=True, timeout=240).stdout
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


class RedisAlone:
    """Broker and results in one Redis that writes every command down before it answers."""
    queue = "grand-kill"
    forgets_acks = False

    def __init__(self, folder):
        self.folder = folder
        self.server = DurableRedis(folder)
        self.broker = self.backend = self.server.url()
        self.name = f"{redis_version(self.broker)} alone"

    def send(self, tasks):
        celery_send(clients.app(self.broker, self.backend), self.queue, tasks)

    def send_linked(self, tasks):
        celery_send_linked(clients.app(self.broker, self.backend), self.queue, tasks)

    def results(self, keys):
        return celery_results(self.broker, self.backend, keys)

    def kill_broker(self):
        self.server.kill()

    def restart_broker(self):
        self.server.start()

    def unsettled(self):
        client = redis.Redis.from_url(self.broker)
        return client.llen(self.queue) + client.hlen("unacked")

    def waiting(self):
        return self.unsettled()

    def dead(self):
        return dead_letters(self.folder, self.queue, self.broker)

    def close(self):
        self.server.close()


def dead_letters(folder, queue, broker):
    return len(command.run(folder, "dead", "ls", queue, "-b", broker, "--json").expect(0).json_lines)


class PostgreSQLAlone:
    """Broker and results in one PostgreSQL. Tasks are sent by SQL, many in a transaction."""
    queue = "grand-kill"
    forgets_acks = False

    def __init__(self, folder):
        self.folder = folder
        # Its own, since it is killed.
        self.server = PostgreSQL(folder, settings.server("TLS_DIR"))
        self.restart_broker()
        self.broker = self.backend = self.server.url()
        self.name = f"PostgreSQL {self.sql('SHOW server_version').split()[0]} alone"
        # Makes the schema.
        self.waiting()

    def sql(self, text):
        return postgresql.sql(self.broker, text)

    def send(self, tasks):
        listed = json.dumps([[key, arguments] for key, arguments in tasks])
        assert "$list$" not in listed
        self.sql(f"SELECT taskhost.send('{TASK}', one->1, task_id => one->>0, queue => '{self.queue}') "
                 f"FROM jsonb_array_elements($list${listed}$list$) AS one")

    def results(self, keys):
        wanted = ", ".join(f"'{key}'" for key in keys)
        rows = self.sql("SELECT json_build_array(task_id, status, convert_from(result, 'UTF8')) FROM celery_taskmeta "
                        f"WHERE task_id IN ({wanted})")
        found = {}
        for row in rows.splitlines():
            key, state, result = json.loads(row)
            found[key] = (state, json.loads(result))
        return found

    def kill_broker(self):
        self.server.kill()

    def restart_broker(self):
        self.server.start()
        self.server.wait_until_ready()

    def unsettled(self):
        return int(self.sql("SELECT count(*) FROM taskhost.message WHERE state <> 3"))

    def waiting(self):
        words = ["purge", self.queue, "--force", "-b", self.broker, "--json"]
        return command.run(self.folder, *words).expect(0).json[self.queue]

    def dead(self):
        return dead_letters(self.folder, self.queue, self.broker)

    def close(self):
        self.server.close()


class Embedded:
    """Read and written by taskhost alone. A process for each of thousands of tasks would take longer than their run: a
    task sends them, and what became of them is read from the file.
    """
    name = "SQLite"
    queue = "grand-kill"
    forgets_acks = False

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "taskhost.db")
        self.broker = self.backend = f"sqlite://{self.path}"
        self.senders = 0

    def send(self, tasks):
        if len(tasks) < MANY:
            for key, arguments in tasks:
                self.run("call", TASK, *arguments, "--id", key, "--queue", self.queue).expect(0)
            return
        self.senders += 1
        plugin = bundles.build_c(os.path.join(HERE, "sender.c"), self.folder)
        folder = os.path.join(self.folder, f"sender-{self.senders}")
        sender = Worker(folder, self.broker, self.backend, "sender", [plugin])
        try:
            for first in range(0, len(tasks), AT_ONCE):
                piece = tasks[first:first + AT_ONCE]
                record = piece[0][1][0]
                listed = "".join(f"{key} {milliseconds}\n" for key, (_, _, milliseconds) in piece)
                done = self.run("call", "sender.send", self.queue, record, listed, "--queue", "sender", "--wait=300",
                                seconds=330).expect(0)
                assert done.json["result"] == len(piece), done
        finally:
            sender.close()

    def results(self, keys):
        """What the file says; that the command line reads the same is asked of the first one."""
        found = {}
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=60)) as file:
            for key in keys:
                for state, meta in file.execute("SELECT state, meta FROM result WHERE task_id = ?", (key,)):
                    found[key] = (state, json.loads(meta)["result"])
        if keys and keys[0] in found:
            told = self.run("result", keys[0]).json
            assert (told["state"], told["result"]) == found[keys[0]], told
        return found

    def unsettled(self):
        """Nothing comes back here that was settled, so no copies are left."""
        return 0

    def waiting(self):
        return self.run("purge", self.queue, "--force").expect(0).json[self.queue]

    def dead(self):
        return dead_letters(self.folder, self.queue, self.broker)

    def close(self):
        """The file goes with its folder."""

    def run(self, *words, seconds=30):
        return command.run(self.folder, *words, "-b", self.broker, "--json", seconds=seconds)
