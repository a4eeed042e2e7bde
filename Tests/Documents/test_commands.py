"""What our documents tell people to type works: blocks are run, or say why not; every option that is named is there."""
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import commands
import pytest

ROOT = commands.ROOT
DIST = Path(os.environ.get("TASKHOST_TEST_DIST", ROOT / ".build" / "dist"))
OPTION = re.compile(r"(?<![\w/.=-])(--[a-z][a-z-]+|-[A-Za-z])(?![\w-])")
# What the program answers though its arguments do not have it: words of Celery's command, and doctor's takes the worker's.
CELERYS = {"-P", "-O", "-s", "--detach", "--without-gossip", "--without-mingle", "--purge", "-X", "-I"}


@pytest.fixture(scope="module")
def known():
    """Options by subcommand, `dead ls` and its like with their group's word before."""
    said = subprocess.run([DIST / "bin/taskhost", "--experimental-dump-help"], check=True, capture_output=True).stdout
    table = {}

    def names(command):
        return {("-" if name["kind"] == "short" else "--") + name["name"]
                for one in command["arguments"] for name in one.get("names") or []}

    for sub in json.loads(said)["command"]["subcommands"]:
        table[sub["commandName"]] = names(sub)
        for below in sub.get("subcommands", []):
            table[sub["commandName"]] |= names(below)
    return table


@pytest.mark.parametrize("document", commands.documents())
def test_every_command_names_options_that_its_subcommand_has(known, document):
    wrong = []
    for command in commands.written(document):
        words = command.replace("[", " ").replace("]", " ").split()[1:]
        named = [word for word in words if word in known]
        # Words with bars stand for each of them; without a subcommand it is the worker.
        subs = named[:1] or ["worker"]
        options = set(OPTION.findall(command.split(" -- ")[0].split("'")[0]))
        missing = options - set().union(*(known[sub] for sub in subs)) - CELERYS
        if missing:
            wrong.append(f"{command}: {', '.join(sorted(missing))}")
    assert wrong == []


@pytest.mark.parametrize("document", commands.documents())
def test_every_block_of_shell_is_run_or_says_why_not(document):
    for block in commands.blocks(document):
        if block.language in commands.SHELLS and document not in commands.HELD_BY:
            assert {"run", "not-run"} & set(block.words), f"a block that says nothing of its test:\n{block.code}"
            assert block.words.get("not-run") != "", "a reason is needed"


def with_blocks():
    return [document for document in commands.documents() if document not in commands.HELD_BY
            and any("run" in block.words for block in commands.blocks(document) if block.language in commands.SHELLS)]


@pytest.mark.parametrize("document", with_blocks())
def test_the_blocks_of_a_document_run_in_order_in_an_empty_folder(document, tmp_path):
    """`file=NAME` is written before. With `prints`, what stands behind # is printed, save behind what is left running (&)."""
    lines, expected = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || true; wait || true' EXIT"], []
    for block in commands.blocks(document):
        if "file" in block.words:
            (tmp_path / block.words["file"]).write_text(block.code)
        elif block.language in commands.SHELLS and "run" in block.words:
            # An installed tree is somewhere else here.
            lines.append(block.code.replace("/usr/local/include", str(DIST / "include")))
            expected += re.findall(r"^[^#]*[^#& ] *# (\S.*)$", block.code, re.M) if "prints" in block.words else []
    home = tmp_path / "home"
    home.mkdir()
    environment = {"PATH": f"{DIST}/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8",
                   "TASKHOST_RUNTIME_DIR": str(home)}
    run = subprocess.Popen(["bash", "-c", "\n".join(lines)], cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, errors = run.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        raise
    assert run.returncode == 0, out + errors
    for words in expected:
        assert words in out, f"{words} is not in\n{out}"


@pytest.mark.parametrize("document", commands.documents())
def test_every_make_and_script_that_is_named_is_there(document):
    text = (ROOT / document).read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = re.findall(r"(?:`|^    (?:sudo )?)make ([a-z][a-z-]*)\b(?![/.=])", text, re.M)
    # Bundles, examples and templates have makefiles of their own.
    if not document.startswith(("sdk/", "Plugins/", "Examples/", "Python/")):
        assert set(named) <= targets
    for script in re.findall(r"(?:`|^    )((?:scripts|Tests/[\w/]+|demo)/[\w-]+)(?=[ `\n])", text, re.M):
        assert (ROOT / script).exists(), f"{script} is not there"
