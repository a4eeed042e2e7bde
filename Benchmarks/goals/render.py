"""The tables of docs/performance.md, between marks; the text around them is written by people and stays."""
import re
import statistics

from goals import plan
from goals.aims import AIMS
from goals.arithmetic import agreement, answer, figures, plain

CLOSE = 0.1  # how far two floors may differ
UNITS = [("rate", "/s"), ("pss_mib", " MiB"), ("seconds", " s"), ("result_p50_ms", " ms"), ("start_p50_ms", " ms"),
         ("utilisation", ""), ("host_cpu_us", " µs")]
SHORT = {"rate": "/s", "host_cpu_us": " µs", "host_pss_mib": " MiB", "start_p50_ms": " ms", "start_p99_ms": " ms",
         "result_p50_ms": " ms", "result_p99_ms": " ms", "utilisation": ""}


def goals(rows):
    """A table for each section; says what is missing."""
    lines = []
    for title, aims in AIMS:
        lines += [f"### {title}", "", "| work | goal | reached, median (least–most) | figures | |", "|---|---|---|---|---|"]
        lines += [goal_line(rows, aim) for aim in aims] + [""]
    return "\n".join(lines).rstrip()


def goal_line(rows, aim):
    sign = "≥" if aim.way == ">=" else "≤"
    goal = "" if aim.goal is None else f"{sign} {plain(aim.goal)}{aim.unit}"
    work = aim.work + (f" ({aim.note})" if aim.note else "")
    found = answer(rows, aim)
    if found is None:
        return f"| {work} | {goal} | not measured | | |"
    spread = "" if found.least == found.most else f" ({plain(found.least)}–{plain(found.most)})"
    beside = ""
    if found.theirs is not None:
        unit = SHORT.get(aim.figure, "")
        beside = f"{plain(found.ours)} : {plain(found.theirs)}{unit}"
    verdict = f"**{found.verdict}**" if found.verdict == "missed" else found.verdict
    return f"| {work} | {goal} | {plain(found.middle)}{aim.unit}{spread} | {beside} | {verdict} |"


def measured(rows):
    """Every measurement itself."""
    lines = ["| measured | median | least–most | CPU µs/task, whole tree | host alone |", "|---|---|---|---|---|"]
    for name, one in plan.PLAN.items():
        own = [row for row in rows if row["name"] == name]
        if not own or one.is_check:
            continue
        figure, unit = next((figure, unit) for figure, unit in UNITS if figure in own[0])
        values = [row[figure] for row in own]
        cpu, alone = (plain(statistics.median(found.values())) if (found := figures(rows, name, which)) else ""
                      for which in ("cpu_us", "host_cpu_us"))
        lines.append(f"| {name} | {plain(statistics.median(values))}{unit} | {plain(min(values))}–{plain(max(values))} | "
                     f"{cpu} | {alone} |")
    return "\n".join(lines)


def checks(rows):
    """Our floor beside another's; empty when there was none."""
    lines = []
    for name in plan.PLAN:
        found = agreement(rows, name)
        if found:
            said = "agrees" if abs(found[2] - 1) <= CLOSE else "**differs**"
            lines.append(f"| {name} | {plain(found[0])}/s | {plain(found[1])}/s | {plain(found[2])} | {said} |")
    if not lines:
        return ""
    return "\n".join(["| row | this floor | the other | ratio | within 10 % |", "|---|---|---|---|---|", *lines])


def put(text, mark, content):
    """The text with what is between the marks replaced."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.S)
    if not found.search(text):
        raise ValueError(f"no {begin} … {end} in the page")
    return found.sub(lambda _: f"{begin}\n{content}\n{end}", text)


def page(text, rows, about):
    """docs/performance.md with the tables of these rows. `about`: the run, in one sentence."""
    for mark, content in (("run", about), ("goals", goals(rows)), ("measured", measured(rows)), ("checks", checks(rows))):
        if content:
            text = put(text, mark, content)
    return text
