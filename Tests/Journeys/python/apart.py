"""Tasks of the app `endings` that end otherwise than in Celery, for a reason, or take time."""
import asyncio
import ctypes
import logging
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel

from endings import Odd, Plain


@shared_task
def memory():
    raise MemoryError("none left")


@shared_task
def forks_while_a_thread_logs():
    """Status of a process that logs, forked while another thread holds the lock of a handler that the zygote has made; and
    whether the main thread knows its number."""
    handler = logging.getLogger().handlers[0]
    held, over = threading.Event(), threading.Event()

    def hold():
        with handler.lock:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        logging.getLogger().warning("from a process of a task's own")
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    over.set()
    thread.join()
    return [status, threading.main_thread().native_id == os.getpid()]


def in_pool(number):
    return number * number


@shared_task
def multiprocesses():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(in_pool, range(4))


@shared_task(ignore_result=True)
def ignored_odd():
    return Odd()


@shared_task(soft_time_limit=0.3, time_limit=20)
def waits(how, path):
    """Waits for good, unless the soft limit ends it; then says how long it took."""
    began = time.monotonic()
    try:
        waiting[how]()
    except SoftTimeLimitExceeded:
        with open(path, "a") as file:
            file.write(f"{how} {time.monotonic() - began:.2f}\n")
        raise


@shared_task
def waits_unlimited(path):
    with open(path, "a") as file:
        file.write("waiting\n")
    time.sleep(60)


def read_socket():
    one, _other = socket.socketpair()
    one.recv(1)


def take_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def reckon():
    while True:
        pass


waiting = {"sleep": lambda: time.sleep(30), "socket": read_socket, "lock": take_lock, "reckon": reckon,
           "subprocess": lambda: subprocess.run(["sleep", "30"]), "join": lambda: threading.Event().wait()}


async def wait_in_loop(how):
    if how == "reckon":
        reckon()
    await asyncio.gather(asyncio.sleep(30), asyncio.sleep(20))


@shared_task(soft_time_limit=0.3, time_limit=20)
async def waits_in_loop(how):
    try:
        await wait_in_loop(how)
    except SoftTimeLimitExceeded:
        return f"stopped while it would {how}"


@shared_task
async def adds_in_loop(x, y):
    await asyncio.sleep(0.001)
    return x + y


class Sum(BaseModel):
    parts: list[int]
    whole: int = 0


@shared_task(pydantic=True)
async def models_in_loop(given: Sum) -> Sum:
    await asyncio.sleep(0.001)
    return Sum(parts=given.parts, whole=sum(given.parts))


@shared_task
async def fails_in_loop():
    await adds_in_loop.run(1, 2)
    raise Plain("in a loop")


@shared_task(bind=True, autoretry_for=(Plain,), retry_backoff=False, default_retry_delay=0, max_retries=2)
async def retries_in_loop(self):
    if self.request.retries < 2:
        raise Plain("again")
    return self.request.retries


def reads_nowhere():
    ctypes.string_at(8)


@shared_task
def crashes():
    reads_nowhere()


@shared_task
def identity():
    return [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), next(tempfile._get_candidate_names()), os.getpid()]
