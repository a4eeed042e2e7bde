"""How many tests of a stage passed and failed, by the report it left."""
import re
import xml.etree.ElementTree as ElementTree


def reports(xml):
    """The JUnit files there are: `swift test` puts Swift Testing's beside the one it was told."""
    return [path for path in (xml, xml.with_name(f"{xml.stem}-swift-testing.xml")) if path.exists()]


def is_bad(case):
    return case.find("failure") is not None or case.find("error") is not None


def junit(xml):
    """Passed and failed tests of a stage's JUnit files."""
    passed = failed = 0
    for path in reports(xml):
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except ElementTree.ParseError:
            # The test process died while it wrote.
            failed += 1
            continue
        for case in cases:
            bad = is_bad(case)
            failed += bad
            passed += not bad and case.find("skipped") is None
    return passed, failed


def unittest(log):
    """The same from the last lines of Python's unittest."""
    text = log.read_text(errors="replace")
    ran = sum(int(number) for number in re.findall(r"^Ran (\d+) tests? in", text, re.MULTILINE))
    bad = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", text))
    skipped = sum(int(number) for number in re.findall(r"skipped=(\d+)", text))
    return ran - bad - skipped, bad


def closing(log):
    """The same from a last line "N passed, N failed"."""
    found = re.findall(r"^(\d+) passed, (\d+) failed$", log.read_text(errors="replace"), re.MULTILINE)
    return (int(found[-1][0]), int(found[-1][1])) if found else (0, 0)
