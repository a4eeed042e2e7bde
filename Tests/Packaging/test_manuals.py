"""Manual pages and completions are the program's own words: each subcommand has its page, each option is in it."""
import json
import re
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def top(dist):
    said = subprocess.run([dist / "bin/taskhost", "--experimental-dump-help"], check=True, capture_output=True).stdout
    return json.loads(said)["command"]


def commands(command, path=()):
    yield path, command
    for sub in command.get("subcommands", []):
        if sub["commandName"] != "help":
            yield from commands(sub, (*path, sub["commandName"]))


def test_every_subcommand_has_a_page_with_all_its_options(dist, top):
    pages = {page.name for page in (dist / "share/man/man1").iterdir()}
    for path, command in commands(top):
        name = "-".join(["taskhost", *path]) + ".1"
        pages.remove(name)
        text = (dist / "share/man/man1" / name).read_text()
        for argument in command["arguments"]:
            for option in argument.get("names") or []:
                typed = ("-" if option["kind"] == "short" else "--") + option["name"]
                assert rf"\fB{typed.replace('-', chr(92) + '-')}\fR" in text, f"{name} does not show {typed}"
    assert not pages, "these pages are of no subcommand"


def test_the_page_of_the_settings_has_every_key(dist):
    said = subprocess.run([dist / "bin/taskhost", "doctor"], capture_output=True, text=True, env={"HOME": "/nonexistent"})
    keys = set(re.findall(r"^  (\w+)\.(\w+) ", said.stdout, re.M))
    assert len(keys) > 60
    text = (dist / "share/man/man5/taskhost.toml.5").read_text()
    sections = dict(re.findall(r'^\.SH "\[(\w+)\]"\n(.*?)(?=^\.SH)', text, re.M | re.S))
    for section, key in keys:
        assert rf"\fB{key}\fR" in sections[section], f"[{section}] has no {key}"


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here")
def test_the_pages_are_set_without_a_warning(dist):
    pages = [str(page) for page in sorted((dist / "share/man").glob("man*/*"))]
    said = subprocess.run(["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", "-z", *pages], capture_output=True, text=True)
    assert said.stderr == "" and said.returncode == 0


@pytest.mark.parametrize("shell, file", [("bash", "bash-completion/completions/taskhost"),
                                         ("zsh", "zsh/site-functions/_taskhost"),
                                         ("fish", "fish/vendor_completions.d/taskhost.fish")])
def test_completions_are_sound_and_know_each_subcommand(dist, top, shell, file):
    path = dist / "share" / file
    text = path.read_text()
    for sub in top["subcommands"]:
        assert sub["commandName"] in text
    if shutil.which(shell):
        subprocess.run([shell, "-n", path], check=True)


def test_bash_completes_a_subcommand(dist):
    script = f"""source {dist}/share/bash-completion/completions/taskhost
COMP_WORDS=(taskhost bund); COMP_CWORD=1; COMP_LINE='taskhost bund'; COMP_POINT=13
_taskhost taskhost bund taskhost; printf '%s\\n' "${{COMPREPLY[@]}}" """
    said = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert said == ["bundles"]
