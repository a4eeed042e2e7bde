"""What the shop does."""
import os
import time

from celery import shared_task

VERSION = os.environ.get("SHOP_VERSION", "1")


@shared_task
def add(x, y):
    return x + y


@shared_task(bind=True)
def scale(self, name):
    return [name, self.request.delivery_info["routing_key"], os.environ["SHOP_PREFIX"]]


@shared_task
def child():
    return os.getpid()


@shared_task
def version(gate=None):
    """What it was imported as; with a gate once that is open."""
    while gate and not os.path.exists(gate):
        time.sleep(0.02)
    return VERSION
