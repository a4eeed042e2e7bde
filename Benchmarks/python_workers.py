"""The workers of the Python benchmark, each with the same task and the same tally: taskhost, Celery, RQ, mayu, Dramatiq, and
what fills their queues."""
import array
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid

import redis
from lab import settings
from lab.worker import Worker, clean_environment
from workers import preload

HERE = os.path.dirname(os.path.abspath(__file__))
APPS = os.path.join(HERE, "apps")
BUILD = os.path.join(HERE, "build")
PLACES = 65536


class Tally:
    """Reads what apps/tally.py writes."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(PLACES * 8)

    def _places(self):
        with open(self.path, "rb") as file:
            return array.array("Q", file.read())

    def done(self):
        return sum(self._places())

    def first(self):
        """When the first task ran, ns; 0: none has."""
        return self._places()[0]


class Started:
    """Processes of a peer: the group of each ends with it."""

    def __init__(self, folder, commands, environment):
        self.log = os.path.join(folder, "peer.log")
        with open(self.log, "wb") as output:
            self.processes = [subprocess.Popen(words, cwd=APPS, env=environment, stdout=output, stderr=subprocess.STDOUT)
                              for words in commands]
        self.pids = [one.pid for one in self.processes]

    @property
    def running(self):
        return all(one.poll() is None for one in self.processes)

    def tail(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-4000:]

    def finish(self):
        for one in self.processes:
            one.send_signal(signal.SIGTERM)
        for one in self.processes:
            try:
                one.wait(30)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


class Host(Worker):
    """taskhost -A, as a user starts it."""

    def __init__(self, folder, words, environment, wait=True):
        self.own = words
        super().__init__(folder, "", None, "", [], environment=environment, wait=wait)
        self.pids = [self.pid]

    def start(self, wait=True):
        self.words = [settings.taskhost(), *self.own]
        super().start(wait)

    def finish(self):
        self.close()


class Peers:
    """Interpreters: of this suite, with --peers one that has numpy and RQ as well, one with Dramatiq, and a CPython 3.13 with
    mayu."""

    MAYU = "mayu==0.2.5"
    DRAMATIQ = "dramatiq[rabbitmq]==2.2.1"

    def __init__(self, wanted):
        self.python = sys.executable
        self.has_rq = wanted
        self.mayu = self.dramatiq = None
        if wanted:
            self.dramatiq = self.made("dramatiq", sys.executable, [self.DRAMATIQ])
            self.python = self.made("rq", sys.executable, ["--requirement", os.path.join(HERE, "peers.requirements.txt")])
            newer = self.newer()
            if newer:
                self.mayu = os.path.join(os.path.dirname(self.made("mayu", newer, [self.MAYU])), "mayu")
            else:
                print("mayu needs CPython 3.13 or newer, and there is none: its row is left out (BENCH_PYTHON_313 names one)")

    @staticmethod
    def made(name, interpreter, packages):
        folder = os.path.join(BUILD, "peers", name)
        python = os.path.join(folder, "bin", "python")
        mark = os.path.join(folder, "made")
        if not os.path.exists(mark):
            subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
            open(mark, "w").close()
        return python

    @staticmethod
    def newer():
        named = os.environ.get("BENCH_PYTHON_313")
        found = [named] if named else []
        found += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.1[3-9].*/bin/python3")), reverse=True)
        found += [f"/usr/bin/python3.{minor}" for minor in (14, 13)]
        return next((one for one in found if os.path.exists(one)), None)


def environment(folder, tally=None, **more):
    """As a shell would have it: Python may write what it has compiled."""
    made = {**clean_environment(folder), "PYTHONPATH": APPS, **more}
    made.pop("PYTHONDONTWRITEBYTECODE", None)
    if tally:
        made["NOOP_TALLY"] = tally.path
    return made


class Filling:
    """Puts messages into queues, as a stock client of each would write them."""

    def __init__(self, peers):
        self.peers = peers
        self.broker, self.redis_url = settings.server("AMQP_URL"), settings.server("REDIS_URL")
        self.redis = redis.Redis.from_url(self.redis_url)

    @staticmethod
    def rabbitmq(queue, count, results=False, size=0, reply=None):
        preload(queue, count, "noop.blob" if size else "noop.add", *(["--bytes", size] if size else []),
                *(["--reply-to", reply] if reply else []), results=results)

    def redis_queue(self, queue, count, task="noop.add", results=False):
        """One message of Celery's own client, with other ids."""
        import celery
        app = celery.Celery(broker=self.redis_url)
        app.send_task(task, (1, 2), queue=queue, ignore_result=not results)
        app.close()
        text = self.redis.lpop(queue).decode()
        old = json.loads(text)["properties"]["correlation_id"]
        tag = json.loads(text)["properties"]["delivery_tag"]
        parts = re.split(f"({re.escape(old)}|{re.escape(tag)})", text)
        line = self.redis.pipeline(transaction=False)
        for number in range(count):
            new = {old: str(uuid.uuid4()), tag: str(uuid.uuid4())}
            line.lpush(queue, "".join(new.get(part, part) for part in parts))
            if number % 1000 == 999 or number == count - 1:
                line.execute()

    def rq(self, queue, count):
        self._peer([self.peers.python, "rq_noop.py", queue, str(count)])

    def dramatiq(self, queue, count):
        self._peer([self.peers.dramatiq, "dramatiq_noop.py", str(count)], BENCH_QUEUE=queue)

    def mayu(self, count):
        self._peer([os.path.join(os.path.dirname(self.peers.mayu), "python"), "mayu_noop.py", str(count)])

    def _peer(self, words, **more):
        path = os.path.join(BUILD, "no-tally")
        tally = Tally(path)
        subprocess.run(words, cwd=APPS, check=True,
                       env={**environment(BUILD, tally), "BENCH_REDIS_URL": self.redis_url, "BENCH_AMQP_URL": self.broker,
                            **more})


def wait_for(runner, what, seconds=180):
    """Until `what()` gives something."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if not runner.running or time.monotonic() > end:
            raise AssertionError(f"stopped too early, or stands still\n{runner.tail()}")
        time.sleep(0.01)
    return found
