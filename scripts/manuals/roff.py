"""Text as man(7) wants it: what stands for itself, what begins a paragraph, a section, an item."""

NUMBERED = {1: "General Commands Manual", 5: "File Formats Manual"}
# Where a page goes on that no author may break lines in: options, file names.
SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
OTHER = {"…": "...", "–": "-", "—": r"\(em", "→": r"\(->", "×": r"\(mu", "≤": r"\(<=", "≥": r"\(>="}


def text(words):
    """One line of running text. A hyphen in a word may stay one; in code it may not (code)."""
    made = "".join(SPECIAL[letter] if letter in "\\^~" else OTHER.get(letter, letter) for letter in words)
    return made if not made.startswith((".", "'")) else r"\&" + made


def code(words):
    """As it is typed."""
    made = "".join(SPECIAL.get(letter) or OTHER.get(letter, letter) for letter in words)
    return made if not made.startswith(".") else r"\&" + made


def bold(words):
    return rf"\fB{code(words)}\fR"


def italic(words):
    return rf"\fI{code(words)}\fR"


class Page:
    def __init__(self, name, section, date, version, about):
        self.lines = [
            '.\\" Made by scripts/write-manuals from what the program says of itself. Changes here are lost.',
            f'.TH "{code(name.upper())}" {section} "{date}" "taskhost {version}" "{NUMBERED[section]}"',
            ".SH NAME", f"{code(name)} \\- {text(about)}",
        ]

    def section(self, title):
        self.lines.append(f'.SH "{text(title)}"')

    def subsection(self, title):
        self.lines.append(f'.SS "{text(title)}"')

    def paragraph(self, roff):
        self.apart()
        self.lines.append(roff)

    def apart(self):
        """A heading begins a paragraph of itself."""
        if not self.lines[-1].startswith((".SH", ".SS")):
            self.lines.append(".PP")

    def item(self, head, roff):
        self.lines += [".TP", head, roff or r"\&"]

    def block(self, lines):
        """Shown as it stands."""
        self.apart()
        self.lines += [".RS 4", ".nf", *(code(line) if line else r"\&" for line in lines), ".fi", ".RE"]

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self.lines) + "\n")
        path.chmod(0o644)
