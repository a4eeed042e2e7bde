"""The systems in Examples, run as their README says: from their own folder, by one command, with real parts."""
import contextlib
import email
import email.policy
import json
import os
import signal
import subprocess
import sys

import pytest
from lab import settings
from lab.worker import clean_environment


# With the tasks of the bundle, and with those of python/, a Celery app.
both = pytest.mark.parametrize("flags", [(), ("--python",)], ids=["native", "python"])


@contextlib.contextmanager
def running(name, *words, installed, folder, stdin=subprocess.DEVNULL):
    """`Examples/NAME/run WORDS`, under way. Everything it starts is gone at the end."""
    source = os.path.join(settings.ROOT, "Examples", name)
    environment = {
        **clean_environment(str(folder)), "DIST": settings.dist(), "OUT": str(folder / "plugins"), "PYTHON": sys.executable,
        "PYTHONPATH": installed, "PYTHONDONTWRITEBYTECODE": "1"}
    with open(folder / "errors", "w") as errors:
        program = subprocess.Popen([os.path.join(source, "run"), *map(str, words)], env=environment, stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
    program.errors = folder / "errors"
    try:
        yield program
    finally:
        try:
            os.killpg(program.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        program.communicate()


def finish(program, seconds):
    """The lines that it still prints, to its end, which must be a good one."""
    out, _ = program.communicate(timeout=seconds)
    assert program.returncode == 0, f"status {program.returncode}\n{out}\n{program.errors.read_text()}"
    return out.splitlines()


def lines(path):
    """What a file holds, a JSON value in each line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def content(mails, recipient):
    """Subject and body of the mail to `recipient`."""
    [raw] = [mail["mail"] for mail in mails if mail["to"] == recipient]
    mail = email.message_from_bytes(raw.encode(), policy=email.policy.default)
    return mail["Subject"], mail.get_content().replace("\r\n", "\n")
