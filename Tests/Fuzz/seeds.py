"""What a fuzz target starts with: a file of it, Tests/Fuzz/seeds/TARGET.txt, from and into a folder as libFuzzer has it.

    seeds.py unpack FILE FOLDER
    seeds.py pack FOLDER FILE

A line is an input: its name, a blank, its bytes as text (those that are no printable ASCII as \\x1f, \\n and the like, a
backslash as \\\\). Seeds that somebody wrote, and inputs that once broke something, have a name of their own; what the
fuzzer found to reach further code is called "-", and gets libFuzzer's name, the SHA-1 of its bytes, when it is unpacked.
"""
import hashlib
import sys
from pathlib import Path


def digest(content):
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(file.read_text("ascii").split("\n")[:-1], 1):
        name, blank, text = line.partition(" ")
        if not blank:
            sys.exit(f"{file}:{number}: a line is a name, a blank and the input")
        content = text.encode("ascii").decode("unicode_escape").encode("latin-1")
        (folder / (digest(content) if name == "-" else name)).write_bytes(content)


def pack(folder, file):
    lines = []
    for path in folder.iterdir():
        content = path.read_bytes()
        text = content.decode("latin-1").encode("unicode_escape").decode("ascii")
        lines.append(("-" if path.name == digest(content) else path.name) + " " + text)
    # Named ones first, so that they are found; the order of the others keeps differences short.
    lines.sort(key=lambda line: (line.startswith("- "), line))
    file.write_text("".join(line + "\n" for line in lines), "ascii")


if __name__ == "__main__":
    kinds = {"unpack": unpack, "pack": pack}
    if len(sys.argv) != 4 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    kinds[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
