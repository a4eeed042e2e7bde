"""The command line of the built taskhost: run to its end, output kept apart."""
import json
import subprocess

from lab import settings
from lab.worker import clean_environment


class Finished:
    def __init__(self, done, words):
        self.words = words
        self.status = done.returncode
        self.out = done.stdout or ""
        self.err = done.stderr

    @property
    def json(self):
        """Standard output as one JSON document."""
        return json.loads(self.out)

    @property
    def json_lines(self):
        """Standard output as a JSON document per line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def expect(self, status):
        assert self.status == status, f"{self}: expected status {status}"
        return self

    def __repr__(self):
        return (f"`taskhost {' '.join(self.words)}` ended with status {self.status}\n"
                f"--- output\n{self.out}--- errors\n{self.err}")


def run(folder, *words, seconds=30, environment=None, program=None, stdout=subprocess.PIPE):
    words = [str(word) for word in words]
    done = subprocess.run([program or settings.taskhost(), *words], cwd=folder, stdin=subprocess.DEVNULL,
                          env={**clean_environment(str(folder)), **(environment or {})},
                          stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=seconds)
    return Finished(done, words)
