"""Whose loss a chord without its end is."""
from fleet_evidence import Chord, judge, mentions

CHORD = Chord("group", 3, {"counted"})


def meta(task, worker, **changes):
    return {"task_id": task, "status": "SUCCESS", "worker": worker, "group_id": "group", **changes}


def test_what_is_counted_failed_or_of_another_group_is_not_lost():
    metas = [meta("counted", "python@fleet"), meta("failed", "python@fleet", status="FAILURE"),
             meta("stranger", "python@fleet", group_id=None)]
    assert judge([CHORD], metas, {}) == []


def test_a_part_is_lost_by_whoever_had_it_last():
    metas = [meta("one", "python@fleet"), meta("two", "native@fleet"), meta("three", "python@fleet")]
    found = judge([CHORD], metas, {"three": (5, "taskhost")})
    assert [side for side, _ in found] == ["python", "taskhost", "taskhost"]
    assert "three succeeded on python@fleet" in found[2][1] and "group" in found[2][1]


def test_a_complete_chord_without_a_claim_is_lost_by_whoever_had_a_member_last():
    seen = {"a": (1, "taskhost"), "b": (2, "python"), "c": (9, "taskhost")}
    assert [side for side, _ in judge([Chord("group", 2, {"a", "b"})], [], seen)] == ["python"]
    assert judge([Chord("group", 2, {"a", "b"}, "somebody, 3 s more")], [], seen) == []


def test_the_last_line_that_names_a_task_counts():
    python = ("[2026-11-25 09:05:43,900: INFO/MainProcess] Task fleet.add[one] received\n"
              "[2026-11-25 09:05:41,100: INFO/ForkPoolWorker-2] Task fleet.total[two] succeeded in 0.1s: 2\n")
    native = ('{"time":"2026-11-24T09:05:43.5+00:00","task_id":"one"}\n{"time":"2026-11-27T09:05:43.5+00:00",'
              '"task_id":"two"}\n{"time":"2026-11-27T09:05:43.5+00:00","task_id":"thr')
    assert {task: side for task, (_, side) in mentions(python, native).items()} == {"one": "python", "two": "taskhost"}
