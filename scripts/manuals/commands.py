"""taskhost(1) and a page for each subcommand, from `taskhost --experimental-dump-help` and the usage lines of --help."""
import json
import re
import subprocess

from . import roff

HEADING = re.compile(r"^[A-Z][A-Z ]+$|^Examples:$")
# Of what begins so the rest explains it: two words or columns apart by two spaces.
EXPLAINED = re.compile(r"^ {2,4}(\S.*?) {2,}(\S.*)$")


def dump(program):
    return json.loads(subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout)["command"]


def usage(program, path):
    """The lines after USAGE: of --help, that the dump does not hold."""
    said = subprocess.run([program, "help", *path], check=True, capture_output=True, text=True).stdout
    found = re.search(r"^USAGE: (.*?)(?=^$)", said, re.M | re.S)
    return [line.strip() for line in found[1].splitlines()]


def discussion(page, words):
    """A heading in capitals begins a section; lines that are moved in are items if something stands apart, else as they are."""
    lines, place = words.splitlines(), 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if not line.strip():
            continue
        if HEADING.match(line):
            page.section(line.rstrip(":").upper())
        elif line.startswith(" "):
            group = [line]
            while place < len(lines) and lines[place].startswith(" "):
                group.append(lines[place])
                place += 1
            items(page, group)
        else:
            page.paragraph(roff.text(line))


def items(page, lines):
    if not any(EXPLAINED.match(line) for line in lines):
        page.block([line[2:] for line in lines])
        return
    head = None
    for line in lines:
        found = EXPLAINED.match(line)
        if found:
            page.item(roff.bold(found[1]), roff.text(found[2]))
            head = found[1]
        elif line.startswith("     "):
            # The rest of the line above, or the explanation of a long head.
            page.lines.append(roff.text(line.strip()))
        else:
            page.lines += [".TP", roff.bold(line.strip())]
    assert head


def option(argument):
    names = [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument["names"]]
    head = ", ".join(roff.bold(name) for name in names)
    if argument["kind"] == "option":
        head += " " + roff.italic(argument["valueName"])
    return head


def arguments(page, found):
    shown = [one for one in found if one["shouldDisplay"]]
    positional = [one for one in shown if one["kind"] == "positional"]
    if positional:
        page.section("ARGUMENTS")
        for one in positional:
            page.item(roff.italic(one["valueName"]), roff.text(one.get("abstract") or ""))
    options = [one for one in shown if one["kind"] != "positional"]
    page.section("OPTIONS")
    titles = list(dict.fromkeys(one.get("sectionTitle") for one in options))
    for title in titles:
        if title:
            page.subsection(title)
        for one in options:
            if one.get("sectionTitle") == title:
                words = roff.text(one.get("abstract") or "")
                default = one.get("defaultValue")
                page.item(option(one), f"{words} Default: {roff.code(default)}." if default else words)


def see_also(page, names):
    page.section("SEE ALSO")
    page.paragraph(",\n".join(rf"\fB{roff.code(name)}\fR({section})" for name, section in names))


def write(program, folder, date, version):
    """Returns the names of the pages of section 1."""
    written = []
    top = dump(program)

    def one(command, path):
        name = "-".join(["taskhost", *path])
        page = roff.Page(name, 1, date, version, command["abstract"].rstrip(". "))
        page.section("SYNOPSIS")
        page.block(usage(program, path))
        if command.get("discussion"):
            if not HEADING.match(command["discussion"].splitlines()[0]):
                page.section("DESCRIPTION")
            discussion(page, command["discussion"])
        arguments(page, command["arguments"])
        below = [sub for sub in command.get("subcommands", []) if sub["shouldDisplay"] and sub["commandName"] != "help"]
        if below:
            page.section("SUBCOMMANDS")
            for sub in below:
                page.item(rf"\fB{roff.code('-'.join([name, sub['commandName']]))}\fR(1)", roff.text(sub["abstract"]))
        if path:
            see_also(page, [("-".join(["taskhost", *path[:-1]]), 1), ("taskhost.toml", 5)])
        else:
            page.section("FILES")
            page.item(roff.italic("/etc/taskhost/taskhost.toml"), r"Settings; see \fBtaskhost.toml\fR(5).")
            see_also(page, [*(("-".join(["taskhost", sub["commandName"]]), 1) for sub in below), ("taskhost.toml", 5)])
        page.write(folder / "man1" / f"{name}.1")
        written.append(name)
        for sub in below:
            one(sub, [*path, sub["commandName"]])

    one(top, [])
    return written
