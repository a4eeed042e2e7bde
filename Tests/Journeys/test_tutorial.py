"""docs/tutorial.md and docs/tutorial.es.md do what they say: every file and command in them, in order, as it stands.

A fenced block says what it is: `file=NAME` is written to the reader's folder, `run` is run there by bash, `broker=NAME` is
run by those who choose this broker. A `text` block after a run is what it prints, line by line, among other lines.
"""
import os
import re
import signal
import subprocess
import sys

import pytest
from lab import settings
from lab.worker import clean_environment

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)
# What stands for the servers in the text.
SERVERS = {"redis://localhost:6379/0": "REDIS_URL", "amqp://guest:guest@localhost:5672//": "AMQP_URL"}
DOCUMENTS = {"en": "tutorial.md", "es": "tutorial.es.md"}


class Block:
    def __init__(self, language, words, code):
        self.language = language
        self.words = dict(word.partition("=")[::2] for word in words.split())
        self.code = code


def blocks(language):
    with open(os.path.join(settings.ROOT, "docs", DOCUMENTS[language])) as file:
        return [Block(*found) for found in BLOCK.findall(file.read())]


def script(language, broker, folder):
    """Writes the files, and returns bash that runs the rest, with a line `== N` before block N; and what N is to print."""
    lines, expected = ["set -eu"], {}
    for number, block in enumerate(blocks(language)):
        if "file" in block.words:
            # Each when it is its turn: what comes later must not help before.
            path = folder / f"{number}.block"
            path.write_text(block.code)
            lines.append(f"cp '{path}' {block.words['file']}")
        elif "run" in block.words or block.words.get("broker") == broker:
            code = block.code
            for written, variable in SERVERS.items():
                if written in code:
                    code = code.replace(written, settings.server(variable))
            lines.append(f"echo '== {number}'\n{code}")
            last = number
        elif block.language == "text":
            expected[last] = block.code.splitlines()
        else:
            assert "broker" in block.words, f"a {block.language} block that says nothing: {block.code}"
    return "\n".join(lines), expected


def printed(out):
    """The lines of each block, by its number."""
    parts = re.split(r"^== (\d+)$", out, flags=re.M)
    return {int(number): lines.splitlines() for number, lines in zip(parts[1::2], parts[2::2])}


@pytest.fixture(scope="session")
def readers_python(tmp_path_factory):
    """A virtual environment of the reader's, that finds what is in ours: pip needs no network."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    [ours] = [path for path in sys.path if path.endswith("site-packages")]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "lib" / version / "site-packages" / "ours.pth").write_text(ours + "\n")
    # As pip makes it where Celery itself is installed.
    program = folder / "bin" / "celery"
    program.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m celery "$@"\n')
    program.chmod(0o755)
    return f"{folder}/bin"


@pytest.mark.parametrize("language, broker", [("es", "sqlite"), ("es", "redis"), ("en", "rabbitmq"), ("en", "sqlite")])
def test_every_command_of_the_tutorial_does_what_it_says(language, broker, tmp_path, readers_python):
    folder = tmp_path / "reader"
    folder.mkdir()
    code, expected = script(language, broker, tmp_path)
    # pip takes the 0 for "no isolation": the variable sets the option that --no-build-isolation clears.
    environment = {
        **clean_environment(str(folder)), "PATH": f"{readers_python}:{os.environ['PATH']}", "TASKHOST": settings.ROOT,
        "DIST": settings.dist(), "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1"}
    with open(tmp_path / "printed", "w") as out:
        reader = subprocess.Popen(["bash", "-c", code], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT, start_new_session=True)
    try:
        status = reader.wait(timeout=300)
    except subprocess.TimeoutExpired:
        status = "it does not come to its end"
    finally:
        try:
            os.killpg(reader.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    out = (tmp_path / "printed").read_text()
    log = folder / "worker.log"
    assert status == 0, f"{status}\n{out}" + (log.read_text()[-4000:] if log.exists() else "")
    found = printed(out)
    for number, lines in expected.items():
        assert [line for line in found[number] if line in lines] == lines, (lines, found[number])


def test_both_tutorials_have_the_same_blocks():
    spanish, english = ([(one.language, sorted(one.words)) for one in blocks(language)] for language in ("es", "en"))
    assert spanish == english
