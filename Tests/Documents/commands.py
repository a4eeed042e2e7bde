"""The commands in our documents: blocks of shell, and what `taskhost …` is written within text.

    Tests/Documents/commands.py        a table: how each document's commands are tested

A fenced block of shell says after its language how it is tested: `run` (by this folder's test, or by the document's own,
HELD_BY), or `not-run="reason"`. Every other command that begins with taskhost is held to the program's own arguments.
"""
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FENCED = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)
SHELLS = {"sh", "bash", "shell", "console"}
# Documents whose blocks are all run by a test of their own, which fails on a block that says nothing.
HELD_BY = {
    "docs/tutorial.md": "Tests/Journeys/test_tutorial.py",
    "docs/tutorial.es.md": "Tests/Journeys/test_tutorial.py",
    "sdk/README.md": "Tests/OutOfTree/run",
}
# History, and texts about Celery itself.
LEFT_OUT = ("CHANGELOG.md", "docs/decisions/", "docs/celery-protocol/", "Tests/", "Benchmarks/results/")


def documents():
    said = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True, capture_output=True,
                          text=True).stdout
    return [name for name in said.splitlines() if not name.startswith(LEFT_OUT) and (ROOT / name).exists()]


class Block:
    def __init__(self, document, language, words, code):
        self.document, self.language, self.code = document, language, code
        self.words = dict(word.partition("=")[::2] for word in shlex.split(words))


def blocks(document):
    return [Block(document, *found) for found in FENCED.findall((ROOT / document).read_text())]


def written(document):
    """Commands of taskhost within text and in blocks that are moved in, without comments."""
    text = FENCED.sub("", (ROOT / document).read_text())
    found = re.findall(r"`(taskhost [^`]+)`", re.sub(r"^    .*$", "", text, flags=re.M))
    found += re.findall(r"^    (?:sudo -u \w+ )?(taskhost .*)$", text, re.M)
    for block in blocks(document):
        if block.language in SHELLS:
            found += re.findall(r"(?:^|[\s(])(taskhost .*)$", re.sub(r"\\\n\s*", " ", block.code), re.M)
    # In a table's cell a bar is escaped.
    return [re.split(r"\s+#\s|  {2,}|;|&&| &$|\s\|\s", command.replace("\\|", "|").replace("\n", " "))[0].strip()
            for command in found]


def report():
    rows, counts = [], {"run": 0, "not run": 0, "arguments": 0}
    for document in documents():
        shell = [block for block in blocks(document) if block.language in SHELLS]
        left = [block.words["not-run"] for block in shell if "not-run" in block.words]
        run = len(shell) - len(left)
        checked = len(written(document))
        counts["run"] += run
        counts["not run"] += len(left)
        counts["arguments"] += checked
        if shell or checked:
            rows.append((document, run, HELD_BY.get(document, "Tests/Documents" if run else ""), "; ".join(left), checked))
    width = max(len(row[0]) for row in rows)
    for document, run, by, left, checked in rows:
        print(f"{document:{width}}  {run:2} run  {by:32} {checked:3} held to the arguments" + (f"  not run: {left}" if left else ""))
    print(f"blocks of shell: {counts['run']} run, {counts['not run']} not, with the reason; "
          f"{counts['arguments']} commands held to the program's arguments")


if __name__ == "__main__":
    sys.exit(report())
