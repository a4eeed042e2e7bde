"""contrib/container: its steps are done in a Debian root, and the image's command is started as process 1, as its user, in
a root that may only be read, as contrib/kubernetes has it. There is no container engine here: what one adds is not tested.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import OLD

ROOT = Path(__file__).resolve().parent.parent.parent.parent
CONTAINERFILES = ROOT / "contrib" / "container"
NSPAWN = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--pipe"]


def instructions(name):
    """(word, rest) of each, lines joined."""
    text = re.sub(r"^#.*\n", "", (CONTAINERFILES / name).read_text(), flags=re.M).replace("\\\n", "")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def last_stage(name):
    found = instructions(name)
    return found[max(place for place, (word, _) in enumerate(found) if word == "FROM"):]


@pytest.fixture(scope="module")
def image(shelf, tmp_path_factory):
    """The root after all steps of Containerfile.deb."""
    root = tmp_path_factory.mktemp("image") / "root"
    subprocess.run(["cp", "-a", os.environ["TASKHOST_TEST_SLIM"], root], check=True)
    for word, rest in last_stage("Containerfile.deb"):
        if word == "COPY":
            [pattern, place] = rest.split()
            (root / place.lstrip("/")).mkdir(parents=True)
            [package] = shelf.glob(pattern.replace("*", f"{OLD}_*"))
            shutil.copy(package, root / place.lstrip("/"))
        elif word == "RUN":
            done = subprocess.run([*NSPAWN, "-D", root, "/bin/sh", "-c", rest], capture_output=True, text=True,
                                  # Its /tmp is the image's.
                                  env={**os.environ, "SYSTEMD_NSPAWN_TMPFS_TMP": "0"})
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
    yield root
    shutil.rmtree(root)


def test_both_images_are_the_same_but_for_where_the_package_comes_from():
    kept = [[one for one in last_stage(name) if one[0] != "COPY"] for name in ("Containerfile", "Containerfile.deb")]
    assert kept[0] == kept[1]


def test_the_steps_from_source_name_what_is_there():
    for word, rest in instructions("Containerfile"):
        for script in re.findall(r"\bscripts/[\w-]+", rest):
            assert os.access(ROOT / script, os.X_OK), f"{word} {rest}"


def asked(leader, path):
    """Status of an answer at the image's port, within its network."""
    port = dict(last_stage("Containerfile.deb"))["EXPOSE"]
    said = subprocess.run(["nsenter", "--target", str(leader), "--net", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                           f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True)
    return said.stdout


def test_the_image_serves_as_process_1_of_its_user_and_ends_on_term(image, tmp_path):
    told = dict(last_stage("Containerfile.deb"))
    command = json.loads(told["ENTRYPOINT"]) + json.loads(told["CMD"])
    user = told["USER"].split(":")[0]
    log = open(tmp_path / "log", "w+")
    container = subprocess.Popen(
        [*NSPAWN, "-D", image, "--read-only", "--tmpfs=/tmp:mode=1777", f"--tmpfs={told['VOLUME']}:uid={user},gid={user}",
         "--private-network", "--user=taskhost", f"--setenv={told['ENV']}", "--kill-signal=SIGTERM", *command],
        stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        leader = None
        end = time.monotonic() + 60
        while time.monotonic() < end and container.poll() is None:
            children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
            leader = int(children[0]) if children else None
            if leader and asked(leader, "/readyz") == "200":
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"never ready: {Path(log.name).read_text()[-3000:]}")
        assert asked(leader, "/livez") == "200" and asked(leader, "/metrics") == "200"
        assert Path(f"/proc/{leader}/status").read_text().split("Uid:")[1].split()[0] == user
        done = subprocess.run(
            ["nsenter", "--target", str(leader), "--all", f"--setuid={user}", f"--setgid={user}", "env",
             told["ENV"], "taskhost", "call", "tasks.add", "4", "6", "--wait=30"], capture_output=True, text=True)
        assert done.stdout == "10.0\n", done.stderr
        os.kill(leader, signal.SIGTERM)
        assert container.wait(60) == 0, Path(log.name).read_text()[-3000:]
    finally:
        if container.poll() is None:
            container.kill()
            container.wait()
        log.close()
