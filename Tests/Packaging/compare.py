"""Says in which files, and in which sections of programs, two packages differ, so that a difference explains itself."""
import gzip
import re
import subprocess
import tempfile


def differences(first, again):
    """A line for each difference of two packages; none: they have the same bytes."""
    if first.read_bytes() == again.read_bytes():
        return []
    before, after = (listing(package) for package in (first, again))
    lines = [f"{path} is only in {package}" for one, other, package in ((before, after, first), (after, before, again))
             for path in sorted(one.keys() - other.keys())]
    for path in sorted(before.keys() & after.keys()):
        if before[path][0] != after[path][0]:
            lines.append(f"{path}: {before[path][0]}, then {after[path][0]}")
        if (content := [before[path][1], after[path][1]])[0] != content[1]:
            lines.append(f"{path}: {contents(*content)}")
    if list(before) != list(after):
        lines.append("the files come in another order")
    return [f"{first.name}: {line}" for line in lines or ["the same files, compressed otherwise"]]


def listing(package):
    """Path to (mode, owner, size and time; bytes), in the package's order; its control files as DEBIAN/…"""
    held = {}
    for part, prefix in (("--ctrl-tarfile", "DEBIAN"), ("--fsys-tarfile", "")):
        told = subprocess.run(["dpkg-deb", part, package], check=True, capture_output=True).stdout
        verbose = subprocess.run(["tar", "--full-time", "--utc", "-tvf", "-"], input=told, check=True, capture_output=True)
        for line in verbose.stdout.decode().splitlines():
            *facts, path = line.split(None, 5)
            content = b"" if path.endswith("/") else subprocess.run(
                ["tar", "-xOf", "-", path], input=told, check=True, capture_output=True).stdout
            held[prefix + path.removeprefix(".")] = " ".join(facts), content
    return held


def contents(first, again):
    if first[:4] == again[:4] == b"\x7fELF":
        one, other = sections(first), sections(again)
        return "differs in " + (", ".join(name for name in {**one, **other} if one.get(name) != other.get(name))
                                or "what is outside of its sections")
    if first[:2] == again[:2] == b"\x1f\x8b":
        first, again = gzip.decompress(first), gzip.decompress(again)
    one, other = (text.decode(errors="replace").splitlines() for text in (first, again))
    for number, (was, now) in enumerate(zip(one, other), 1):
        if was != now:
            return f"line {number} was {was[:200]!r}, then {now[:200]!r}"
    return f"{len(first)} bytes, then {len(again)}"


def sections(program):
    """The bytes of a program's sections by their names."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(program)
        file.flush()
        told = subprocess.run(["readelf", "-SW", file.name], capture_output=True, text=True).stdout
    found = re.findall(r"\] (\S+) +(\S+) +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) ", told)
    return {name: b"" if kind == "NOBITS" else program[int(start, 16):int(start, 16) + int(size, 16)]
            for name, kind, start, size in found}
