"""Ratios are taken within a round; of the rounds the median counts."""
import statistics
from dataclasses import dataclass


@dataclass
class Answer:
    middle: float
    least: float
    most: float
    ours: float     # medians of the figures themselves
    theirs: float   # None where nothing is compared
    verdict: str    # reached, missed, or "" where there is no goal


def figures(rows, name, figure):
    """By round."""
    return {row["round"]: row[figure] for row in rows if row["name"] == name and figure in row}


def answer(rows, aim):
    """None when nothing was measured for it."""
    ours = figures(rows, aim.ours, aim.figure)
    theirs = figures(rows, aim.theirs, aim.figure) if aim.theirs else None
    if theirs is None:
        values = list(ours.values())
    else:
        values = [value / theirs[number] for number, value in ours.items() if theirs.get(number)]
    if not values:
        return None
    middle = statistics.median(values)
    return Answer(middle, min(values), max(values), statistics.median(ours.values()),
                  statistics.median(theirs.values()) if theirs else None, verdict(aim, middle))


def verdict(aim, middle):
    if aim.goal is None:
        return ""
    return "reached" if (middle >= aim.goal if aim.way == ">=" else middle <= aim.goal) else "missed"


def agreement(rows, name):
    """(our floor's rate, the other's, ratio): medians, the ratio within rounds; None when not both were measured."""
    ours, theirs = figures(rows, name, "rate"), figures(rows, f"check: {name}", "rate")
    ratios = [rate / theirs[number] for number, rate in ours.items() if number in theirs]
    if not ratios:
        return None
    return statistics.median(ours.values()), statistics.median(theirs.values()), statistics.median(ratios)


def plain(number):
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"
