"""What every measurement stands on: servers, a folder and a tally for each run, queues."""
import os

import redis
from lab import amqp, settings
from python_rows import Rows
from python_workers import Filling
from workers import Runs, Tally


class Ground(Runs):
    def __init__(self, folder, peers, scale, check_floor=None):
        super().__init__(folder, Tally)
        self.peers, self.scale, self.check_floor = peers, scale, check_floor
        self.amqp_url, self.redis_url = settings.server("AMQP_URL"), settings.server("REDIS_URL")
        self.redis = redis.Redis.from_url(self.redis_url)
        self.filling = Filling(peers)
        self.queues = amqp.Queues()
        self.peer_rows = Rows(os.path.join(folder, "peers"), peers, 2, scale)
        os.makedirs(self.peer_rows.folder)

    def recover(self):
        """After a measurement that failed: what it left must not be counted by the next, nor its channel be used."""
        self.redis.flushdb()
        self.queues, self.peer_rows.queues = amqp.Queues(), amqp.Queues()

    def scaled(self, count, least=50):
        return max(least, int(count * self.scale))

    def new_queue(self, quorum=False):
        return self.queues.new("bench", **({"queue_type": "quorum"} if quorum else {}))

    def drop(self, *names):
        for name in names:
            self.queues.channel.queue_delete(name)
            self.queues.channel.exchange_delete(name)
            self.queues.made.remove(name)

    def backend(self, results):
        return {None: None, "redis": self.redis_url, "rpc": "rpc://"}[results]
