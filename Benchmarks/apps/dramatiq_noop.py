"""The same task for Dramatiq; dramatiq_noop.py COUNT fills its queue."""
import os
import sys

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

broker = RabbitmqBroker(url=os.environ["BENCH_AMQP_URL"], confirm_delivery=False, middleware=[])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=os.environ["BENCH_QUEUE"])
def add(x, y):
    import tally
    tally.hit()


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        add.send(number, number + 1)
    broker.close()
