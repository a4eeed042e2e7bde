"""docs/troubleshooting.md quotes what the program says: each text is in the sources, `…` standing for what is put in."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def interpolated(text):
    """Swift's \\( … ), parentheses and texts within, as …"""
    made, place = [], 0
    while place < len(text):
        if text.startswith("\\(", place):
            depth = 0
            while place < len(text):
                depth += (text[place] == "(") - (text[place] == ")")
                place += 1
                if depth == 0 and text[place - 1] == ")":
                    break
            made.append("…")
        else:
            made.append(text[place])
            place += 1
    return "".join(made)


@pytest.fixture(scope="module")
def said():
    """All texts of the sources on lines of their own, those that are joined by + in one."""
    texts = []
    for path in (ROOT / "Sources").rglob("*.swift"):
        # Interpolations first: they hold quotes of their own. Then pieces, and lines that go on.
        text = interpolated(path.read_text())
        text = re.sub(r"\\\n\s*", "", text)
        text = re.sub(r'"\s*\n\s*\+ "', "", text)
        texts += [found.replace('\\"', '"') for found in LITERAL.findall(text)]
        texts += [" ".join(found.split()) for found in re.findall(r'"""\n(.*?)"""', text, re.S)]
    return "\n".join(texts)


def quoted():
    for line in PAGE.read_text().splitlines():
        first = line.split(" | ")[0]
        if line.startswith("| `"):
            yield first.removeprefix("| ").strip("`")


def test_every_quoted_text_is_the_programs(said):
    missing = []
    for text in quoted():
        # What stands at the ends is put in, or written apart.
        core = text.strip("… ")
        pattern = r"[^\n]*".join(re.escape(part.strip()) for part in core.split("…"))
        if not re.search(pattern, said):
            missing.append(text)
    assert missing == []
    assert len(list(quoted())) > 60
