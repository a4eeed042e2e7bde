"""Failed tests run once more, alone: one that passes then is flaky, which is told and does not fail the run.

A run of some 1,900 tests beside real servers on a busy machine meets a race of a test now and then. More than ALLOWED
of them in one run is no race: nothing is run again then. What failed and why stays in .build/test-logs/flaky.
"""
import re
import shutil
import xml.etree.ElementTree as ElementTree

from . import count

ALLOWED = 2  # failed tests of one run of scripts/test that get a second try
USED = []  # their names
LIMIT_S = 600


def failed(xml):
    """Class and name of each failed test of a stage's reports; None: they can't be read, or name no test."""
    found = []
    for path in count.reports(xml):
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except ElementTree.ParseError:
            return None
        found += [(case.get("classname"), case.get("name")) for case in cases if count.is_bad(case)]
    return found if all(owner and name for owner, name in found) else None


def command(stage, tests):
    """What runs only these; None: this stage can't."""
    words = list(stage.command)
    if "pytest" in words:
        folder = next(word for word in words if word.startswith("Tests/") and "with-servers" not in word)
        at = words.index(folder)
        # pytest's class of a test in a file is the file's path from its root folder, with dots.
        words[at:at + 1] = [f"{folder}/{owner.rsplit('.', 1)[-1]}.py::{name}" for owner, name in tests]
        return words
    if words[:2] != ["swift", "test"] and "test" not in words:
        return None
    kept = without_filters(words)
    for owner, name in tests:
        kept += ["--filter", f"^{re.escape(owner)}/{re.escape(name.split('(')[0])}\\("]
    return kept


def without_filters(words):
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("--filter", "--skip"):
            skip = True
        else:
            kept.append(word)
    return kept


def pass_alone(stage, xml, log, execute):
    """Names of the failed tests if all of them pass alone; [] if not, or if there is no second try.

    `execute(words, log, limit_s)` runs a command to its end and returns its exit status.
    """
    tests = failed(xml)
    words = command(stage, tests) if tests and len(USED) + len(tests) <= ALLOWED else None
    if words is None:
        return []
    names = [f"{owner}.{name}" for owner, name in tests]
    USED.extend(names)
    kept = log.parent / "flaky"
    kept.mkdir(exist_ok=True)
    shutil.copy(log, kept / log.name)
    second = kept / f"{xml.stem}-again.xml"
    for old in count.reports(second):
        old.unlink()
    status = execute([word.replace("{xml}", str(second)) for word in words], kept / f"{log.stem}-again.log", LIMIT_S)
    good, bad = count.junit(second)
    return names if status == 0 and bad == 0 and good >= len(set(names)) else []
