"""taskhost.toml(5), from docs/configuration.md, whose tables are written from the program (scripts/write-tables)."""
import re

from . import roff

INLINE = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|\[([^\]]+)\]\(([^)]*)\)")


def inline(words):
    made, place = [], 0
    for found in INLINE.finditer(words):
        made.append(plain(words[place:found.start()]))
        strong, typed, link, _ = found.groups()
        made.append(roff.bold(strong) if strong else roff.bold(typed) if typed else plain(link))
        place = found.end()
    line = "".join([*made, plain(words[place:])])
    return line if not line.startswith((".", "'")) else r"\&" + line


def plain(words):
    """In the middle of a line nothing begins a request."""
    made = roff.text(words)
    return made.removeprefix(r"\&")


def cells(line):
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def sentence(words):
    """With a capital, unless what begins is typed or an address."""
    return words[:1].upper() + words[1:] if re.match(r"[a-z]+[ ,;]", words) else words


def table(page, lines):
    """A row is an item: its first cell the head, the others beside their column's name."""
    heads = cells(lines[0])
    for line in lines[2:]:
        first, *others = cells(line)
        told = [f"{plain(head.capitalize())}: {inline(cell)}." if head else inline(sentence(cell)) + "."
                for head, cell in reversed(list(zip(heads[1:], others))) if cell not in ("", "–")]
        page.item(inline(first), "\n".join(told))


def write(document, folder, date, version):
    page = roff.Page("taskhost.toml", 5, date, version, "settings of taskhost")
    lines, place, told = document.read_text().splitlines(), 0, False

    def run(belongs):
        nonlocal place
        began = place
        while place < len(lines) and belongs(lines[place]):
            place += 1
        return lines[began:place]

    while place < len(lines):
        line = lines[place]
        if line.startswith("#"):
            place += 1
            level, title = line.split(" ", 1)
            if level == "#":
                page.section("DESCRIPTION")
                told = True
            elif level == "##":
                page.section(title.replace("`", ""))
            else:
                page.subsection(title.replace("`", ""))
        elif not line.strip():
            place += 1
        elif line.startswith("|"):
            table(page, run(lambda one: one.startswith("|")))
        elif line.startswith("```"):
            place += 1
            page.block(run(lambda one: not one.startswith("```")))
            place += 1
        elif line.startswith("    "):
            page.block([one[4:] for one in run(lambda one: one.startswith("    ") or not one.strip())])
        elif found := re.match(r"([*-]|\d+\.) (.*)", line):
            words = [found[2]]
            place += 1
            words += [one.strip() for one in run(lambda one: one.startswith("  "))]
            page.lines += [r".IP \(bu 2" if found[1] in "*-" else f".IP {found[1]} 4", inline(" ".join(words))]
        else:
            page.paragraph(inline(" ".join(run(lambda one: one.strip() and not one.startswith(("|", "#", "```"))))))
    assert told, f"{document} has no title"
    page.section("SEE ALSO")
    page.paragraph(r"\fBtaskhost\fR(1), \fBtaskhost\-worker\fR(1), \fBtaskhost\-doctor\fR(1)")
    page.write(folder / "man5" / "taskhost.toml.5")
