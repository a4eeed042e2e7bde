"""Python programs with Celery and the package of clients/python, which pip has installed from this tree."""
import json
import os
import subprocess
import sys

from lab import settings
from lab.worker import clean_environment

# All a program needs: it imports nothing of the package.
PRELUDE = """
import json, os, sys, time
from celery import Celery, chain, chord, group
ADDRESS, *WORDS = sys.argv[1:]
app = Celery(broker=ADDRESS, backend=ADDRESS)
task = app.signature
def tell(value): print(json.dumps(value), flush=True)
"""


def install(folder):
    """`pip install` of the package alone, without a network; returns the folder it is in."""
    source = os.path.join(settings.ROOT, "clients", "python")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps",
         "--no-build-isolation", "--target", str(folder), source], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(folder)


class FileClient:
    """Runs programs; `address` is what they find as ADDRESS, further words as WORDS."""

    def __init__(self, installed, address, folder):
        self.installed = installed
        self.address = address
        self.folder = str(folder)

    @property
    def environment(self):
        return {**clean_environment(self.folder), "PYTHONPATH": self.installed, "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, script, *words, address=None):
        return subprocess.Popen([sys.executable, "-c", PRELUDE + script, address or self.address, *map(str, words)],
                                env=self.environment, cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, script, *words, address=None, seconds=90):
        """What the program told, as a list of JSON values; it must end with status 0."""
        program = self.start(script, *words, address=address)
        out, err = program.communicate(timeout=seconds)
        assert program.returncode == 0, f"status {program.returncode}\n{out}{err}"
        return [json.loads(line) for line in out.splitlines()]

    def failure(self, script, *words, address=None):
        """The last line of the errors of a program that must fail."""
        program = self.start(script, *words, address=address)
        out, err = program.communicate(timeout=90)
        assert program.returncode != 0, f"it did not fail: {out}{err}"
        return err.rstrip().splitlines()[-1]

    def celery(self, *words):
        """The stock `celery` command; its status and all it wrote."""
        done = subprocess.run(
            [sys.executable, "-m", "celery", "-b", self.address, "--result-backend", self.address, *words],
            env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)
        return done.returncode, done.stdout + done.stderr
