"""On a fresh Debian without Swift the packages give a task of one's own in three commands; with its compiler, in each
language. As a user who is nobody special, in a home that is empty.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import OLD
from machine import Machine

# What has to be installed beside taskhost and taskhost-dev, and what of this machine is shown.
NEEDED = {
    "c": "gcc libc6-dev make",
    "cpp": "g++ make",
    "rust": "cargo make",
    "swift": "g++ make libncurses6 libxml2 libcurl4 libsqlite3-0 zlib1g-dev",
    "python": "",
}
# Debian has no Swift, and its Celery is older than what taskhost runs: those of this machine are shown.
SWIFT = Path(shutil.which("swiftc") or "/").resolve().parent.parent.parent
TOOLS = {"swift": [SWIFT], "python": [sys.prefix, sys.base_prefix]}


@pytest.fixture(scope="module")
def machine(shelf):
    one = Machine(os.environ["TASKHOST_TEST_MACHINE"], shelf, [path for paths in TOOLS.values() for path in paths])
    one.run(f"apt-get -q update && apt-get -q install -y --no-install-recommends /shared/taskhost_{OLD}_*.deb "
            f"/shared/taskhost-dev_{OLD}_*.deb && useradd -m -s /bin/bash ada")
    # The Python of this machine may lie in its root's home.
    one.run("chmod 711 /root")
    yield one
    one.stop()


@pytest.mark.parametrize("language", NEEDED)
def test_three_commands_give_a_task_of_ones_own(machine, language):
    if NEEDED[language]:
        machine.run(f"apt-get -q install -y --no-install-recommends {NEEDED[language]}")
    path = {"swift": f"{SWIFT}/usr/bin:", "python": f"{sys.prefix}/bin:"}.get(language, "")
    start = f"export HOME=/home/ada PATH={path}$PATH; cd /home/ada"
    machine.run(f"{start}; taskhost new {language}_demo --lang {language}", user="ada")
    test = "python3 -m unittest" if language == "python" else "make test"
    machine.run(f"{start}/{language}_demo; {test}", user="ada")
    # Somebody who waits until it is served, and calls it then.
    done = machine.run(f"""{start}/{language}_demo; rm -f dev.log; touch dev.log; timeout 240 taskhost dev >dev.log 2>&1 & dev=$!
        until grep -q 'tasks\\.add' dev.log || ! kill -0 $dev; do sleep 0.2; done
        timeout 30 taskhost call tasks.add 4 6 2>call.log
        kill -INT $dev; wait $dev""", check=False, user="ada")
    log = machine.says(f"cat /home/ada/{language}_demo/dev.log /home/ada/{language}_demo/call.log")
    assert done.stdout.strip() in ("10", "10.0"), f"{done.stdout}\n{done.stderr}\n{log}"


@pytest.fixture(scope="module")
def bare(shelf):
    """A machine with Debian's own Python and nothing else of Python's; wheels of Celery at /shared/wheels."""
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", shelf / "wheels", "celery"],
                   check=True)
    one = Machine(os.environ["TASKHOST_TEST_MACHINE"], shelf)
    one.run(f"apt-get -q update && apt-get -q install -y --no-install-recommends python3 /shared/taskhost_{OLD}_*.deb "
            f"/shared/taskhost-dev_{OLD}_*.deb && useradd -m -s /bin/bash ada")
    yield one
    one.stop()


def test_who_has_debians_python_alone_is_told_how_to_come_to_a_first_task(bare):
    """The fix is carried out word by word; then the three commands work."""
    start = "export HOME=/home/ada; cd /home/ada"
    said = bare.run(f"{start}; taskhost new demo --lang python", check=False, user="ada")
    assert said.returncode == 78 and "there is no Celery in /usr/bin/python3" in said.stderr
    packages, commands = re.search(r"on Debian: apt install ([\w .-]+)\. Then in the folder of your project: (.*)",
                                   said.stderr).groups()
    # Debian's own is refused as well, in the same words.
    bare.run("apt-get -q install -y --no-install-recommends python3-celery")
    again = bare.run(f"{start}; taskhost new demo --lang python", check=False, user="ada")
    assert again.returncode == 78 and "is too old" in again.stderr and commands in again.stderr
    bare.run("apt-get -q purge -y python3-celery && apt-get -q autoremove -y")
    bare.run(f"apt-get -q install -y --no-install-recommends python3 {packages}")
    done = bare.run(f"""{start}; export PIP_NO_INDEX=1 PIP_FIND_LINKS=/shared/wheels
        mkdir work; cd work
        {{ {commands}; }} >pip.log 2>&1 || exit 3
        taskhost new demo --lang python >new.log || exit 4
        cd demo; python3 -m unittest >test.log 2>&1 || exit 5
        touch dev.log; timeout 120 taskhost dev >dev.log 2>&1 & dev=$!
        until grep -q 'tasks\\.add' dev.log || ! kill -0 $dev; do sleep 0.2; done
        timeout 30 taskhost call tasks.add 4 6
        kill -INT $dev; wait $dev""", check=False, user="ada")
    logs = bare.says("tail -n 30 /home/ada/work/*.log /home/ada/work/demo/*.log || true")
    assert done.stdout.strip() == "10", f"status {done.returncode}: {done.stdout}{done.stderr}\n{logs}"
