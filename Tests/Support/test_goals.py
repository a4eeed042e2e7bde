"""The tables of docs/performance.md: the arithmetic of rounds, and what is written between the marks."""
import os
import sys

import pytest

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(ROOT, "Benchmarks"), os.path.dirname(os.path.abspath(__file__))]
from goals import arithmetic, plan, plots, render, slots, svg  # noqa: E402
from goals.aims import AIMS, Aim  # noqa: E402

RATE = Aim("kept, × the floor", "kept", "floor", "rate", ">=", 0.95)


def rows(name, *rates, figure="rate"):
    return [{"round": number, "name": name, figure: rate} for number, rate in enumerate(rates)]


def test_a_ratio_is_taken_within_its_round_before_the_median_is():
    found = arithmetic.answer(rows("kept", 100, 10, 50) + rows("floor", 100, 100, 10), RATE)
    assert (found.middle, found.least, found.most) == (1.0, 0.1, 5.0)  # the ratio of the medians would be 0.5
    assert (found.ours, found.theirs) == (50, 100)


def test_a_round_in_which_one_of_both_failed_does_not_count():
    found = arithmetic.answer(rows("kept", 100, 1, 100) + rows("floor", 100)[:1], RATE)
    assert (found.middle, found.least, found.most) == (1.0, 1.0, 1.0)


def test_what_was_not_measured_has_no_answer_and_is_called_so():
    assert arithmetic.answer(rows("kept", 100), RATE) is None
    assert "| not measured |" in render.goal_line(rows("kept", 100), RATE)


@pytest.mark.parametrize("way, goal, middle, said", [
    (">=", 0.95, 0.95, "reached"), (">=", 0.95, 0.94, "missed"), ("<=", 40, 40, "reached"), ("<=", 40, 41, "missed"),
    (">=", None, 0.1, "")])
def test_a_goal_is_reached_at_its_own_figure(way, goal, middle, said):
    assert arithmetic.verdict(Aim("", "", "", "", way, goal), middle) == said


def test_a_row_names_its_goal_the_median_and_the_verdict():
    line = render.goal_line(rows("kept", 90, 80) + rows("floor", 100, 100), RATE)
    assert line == "| kept, × the floor | ≥ 0.95 | 0.85 (0.80–0.90) | 85.0 : 100/s | **missed** |"


def test_a_figure_by_itself_has_its_unit():
    aim = Aim("memory", "idle", "", "pss_mib", "<=", 10, " MiB")
    assert render.goal_line(rows("idle", 9.5, figure="pss_mib"), aim) == "| memory | ≤ 10.0 MiB | 9.50 MiB |  | reached |"


def test_two_floors_agree_within_a_tenth():
    name = "floor pool"
    found = render.checks(rows(name, 100, 100) + rows(f"check: {name}", 95, 105))
    assert "| floor pool | 100/s | 100/s | 1.00 | agrees |" in found
    assert "**differs**" in render.checks(rows(name, 100) + rows(f"check: {name}", 80))
    assert render.checks(rows(name, 100)) == ""


def test_only_what_is_between_the_marks_is_replaced():
    page = "before\n<!-- goals -->\nold\n<!-- end of goals -->\nafter \\1\n"
    assert render.put(page, "goals", "new \\1") == "before\n<!-- goals -->\nnew \\1\n<!-- end of goals -->\nafter \\1\n"
    with pytest.raises(ValueError, match="no <!-- other -->"):
        render.put(page, "other", "new")


def test_every_goal_compares_measurements_that_there_are():
    for _, aims in AIMS:
        for aim in aims:
            assert aim.ours in plan.PLAN, aim.work
            assert aim.theirs in plan.PLAN or not aim.theirs, aim.work


def test_without_peers_or_another_floor_their_measurements_are_left_out():
    names = plan.chosen(set())
    assert "kept" in names and "floor pool" in names
    assert not {"celery", "redis: mayu", "check: floor pool"} & set(names)
    assert {"celery", "check: floor pool"} <= set(plan.chosen({"peers", "check"}))
    assert all(plan.PLAN[name].is_floor for name in plan.chosen(set(), floor_only=True))
    assert plan.chosen(set(), "sqlite") == ["sqlite: bare loop", "sqlite: kept", "sqlite: 4 hosts"]


def test_the_page_has_the_marks_and_takes_a_whole_run():
    found = [{"round": 0, "name": name, "rate": 100.0, "cpu_us": 10.0, "host_cpu_us": 9.0, "host_pss_mib": 5.0, "pss_mib": 8.0,
              "utilisation": 0.98, "seconds": 0.03, "claim_p99_ms": 7.0,
              **{f"{what}_p{at}_ms": 1.0 for what in ("start", "result") for at in (50, 99)}} for name in plan.PLAN]
    with open(os.path.join(ROOT, "docs", "performance.md")) as file:
        page = file.read()
    made = render.page(page, found, "A run.")
    assert "A run." in made and "not measured" not in made
    assert render.page(made, found, "A run.") == made
    assert made.split("<!-- end of measured -->")[1].split("<!--")[0] == page.split("<!-- end of measured -->")[1].split("<!--")[0]


def test_the_page_names_every_plot():
    with open(os.path.join(ROOT, "docs", "performance.md")) as file:
        page = file.read()
    for name in plots.PLOTS:
        assert f"performance/{name}.svg" in page


def test_slots_are_busy_by_what_lies_within_the_window():
    # Two slots, of which one has nothing to do from 500 on.
    spans = [(at, at + 100) for at in range(0, 1000, 100)] + [(at, at + 100) for at in range(0, 500, 100)]
    assert slots.window(spans) == (100, 900)
    assert slots.utilisation(spans, 2) == pytest.approx((800 + 400) / 1600)


@pytest.mark.parametrize("most, top", [(1, 1), (0.7, 0.8), (19_000, 20_000), (1234, 1500), (0.034, 0.04)])
def test_an_axis_ends_at_a_round_figure(most, top):
    assert svg.nice(most) == pytest.approx(top)


def test_a_chart_has_a_bar_for_each_value_and_none_for_what_is_missing():
    import xml.etree.ElementTree
    made = svg.bars("A & B", "tasks/s", ["one", "two"], [("floor", [10, 20]), ("taskhost", [5, None])])
    root = xml.etree.ElementTree.fromstring(made)
    bars = [one for one in root if one.tag.endswith("rect")]
    assert len(bars) == 2 + 3  # the keys, and the values
    heights = sorted(float(one.get("height")) for one in bars[2:])
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2) and heights[2] == pytest.approx(4 * heights[0], abs=0.4)


def test_an_axis_of_decades_begins_below_the_least_and_ends_above_the_most():
    marks, share = svg.scale([9, 70, 2000], decades=True)
    assert marks == [1, 10, 100, 1000, 10_000]
    assert (share(1), share(100), share(10_000)) == (0, 0.5, 1)


def test_plots_are_drawn_of_what_there_is():
    for plot in plots.PLOTS.values():
        assert "<svg" in plot(rows("kept", 100))
