"""The checker itself: it accepts good evidence and finds each kind of bad."""
import copy

import pytest
from checker import allowed_extra, check, running
from evidence import SECOND, Evidence, Kill, Record, Run


def kill(target, at, **hit):
    return Kill(target, at, at + SECOND // 100, **hit)


def good():
    """Three tasks; the second was interrupted by the kill of its child and run again."""
    return Evidence(
        tasks={"a", "b", "c"},
        runs=[Run("a", 11, 10, 1 * SECOND, 2 * SECOND), Run("b", 12, 10, 1 * SECOND), Run("b", 13, 10, 4 * SECOND,
              5 * SECOND), Run("c", 14, 10, 5 * SECOND, 6 * SECOND)],
        kills=[kill("child", int(1.5 * SECOND), pids=frozenset({12}))],
        results={key: ("SUCCESS", key) for key in "abc"})


def test_good_evidence_passes():
    assert check(good()) == []


def lost(e):
    e.runs = [run for run in e.runs if run.key != "c"]


def unfinished(e):
    e.runs[3].ended = None


def without_result(e):
    del e.results["c"]


def failed(e):
    e.results["c"] = ("FAILURE", "x")


def swapped(e):
    e.results["c"] = ("SUCCESS", "b")


def invented(e):
    e.runs.append(Run("z", 15, 10, 6 * SECOND, 7 * SECOND))


def run_twice(e):
    e.runs.append(Run("a", 15, 10, 6 * SECOND, 7 * SECOND))


def run_twice_long_after_a_kill(e):
    e.runs = [Run("a", 11, 10, 0, 1), Run("a", 11, 10, 8 * SECOND, 9 * SECOND)] + e.runs[1:]
    e.kills.append(kill("broker", 7 * SECOND))


def ended_in_its_middle_by_nobody(e):
    e.kills = [kill("broker", int(1.5 * SECOND))]


def another_child_was_killed(e):
    e.kills = [kill("child", int(1.5 * SECOND), pids=frozenset({99}))]


def another_zygote_was_killed(e):
    e.kills = [kill("zygote", int(1.5 * SECOND), zygotes=frozenset({99}))]


def killed_before_it_started(e):
    e.kills = [kill("child", SECOND // 2, pids=frozenset({12}))]


def interrupted_once_but_run_thrice(e):
    e.runs.insert(2, Run("b", 16, 10, 2 * SECOND, 3 * SECOND))


def waiting(e):
    e.waiting = 1


def buried(e):
    e.dead = 1


def leftovers(e):
    e.left_processes = [4711]


@pytest.mark.parametrize("damage", [
    lost, unfinished, without_result, failed, swapped, invented, run_twice, run_twice_long_after_a_kill,
    ended_in_its_middle_by_nobody, another_child_was_killed, another_zygote_was_killed, killed_before_it_started,
    interrupted_once_but_run_thrice,
    waiting, buried, leftovers])
def test_damage_is_found(damage):
    evidence = copy.deepcopy(good())
    damage(evidence)
    assert check(evidence) != []


@pytest.mark.parametrize("one", [
    kill("child", int(1.5 * SECOND), pids=frozenset({12})),
    kill("zygote", int(1.5 * SECOND), zygotes=frozenset({10})),
    kill("host", int(1.5 * SECOND), zygotes=frozenset({10, 20})),
])
def test_each_kind_of_kill_excuses_what_it_interrupted(one):
    evidence = good()
    evidence.kills = [one]
    assert check(evidence) == []


def test_a_killed_broker_excuses_what_ran_to_its_end_and_could_not_be_settled():
    evidence = good()
    evidence.runs[1].ended = 2 * SECOND
    evidence.kills = [kill("broker", int(1.5 * SECOND))]
    assert check(evidence) == []


def test_what_ended_just_before_a_kill_is_in_flight_but_did_not_run():
    evidence = good()
    evidence.kills.append(kill("broker", 2 * SECOND + SECOND // 8))
    assert (running(evidence), allowed_extra(evidence)) == (1, 2)


def test_what_was_ended_before_is_not_in_flight_at_a_later_kill():
    evidence = good()
    before = allowed_extra(evidence)
    evidence.kills.append(kill("broker", 3 * SECOND))
    assert allowed_extra(evidence) == before == 1


@pytest.mark.parametrize("target", ["store", "term"])
def test_a_killed_store_and_a_host_that_was_asked_to_end_excuse_no_run(target):
    evidence = good()
    evidence.runs[1].ended = 2 * SECOND
    evidence.kills = [kill(target, int(1.5 * SECOND))]
    assert check(evidence) != []


def linked(kills, runs=2):
    """"b" calls "a"; "a" was run so often, "b" in flight at so many kills."""
    evidence = good()
    evidence.follows = {"a": "b"}
    evidence.kills = evidence.kills[:kills]
    evidence.runs = evidence.runs[1:] + [Run("a", 20 + number, 10, 8 * SECOND, 9 * SECOND) for number in range(runs)]
    return evidence


def test_a_link_may_be_called_again_by_a_task_that_a_kill_hit():
    assert check(linked(kills=1)) == []


@pytest.mark.parametrize("bad", [linked(kills=0), linked(kills=1, runs=3)], ids=["no kill hit it", "twice more"])
def test_a_link_is_called_again_no_more_often_than_that(bad):
    assert any("a" in problem.split(": ")[-1].split(", ") for problem in check(bad))


def copied(forgets_acks=True, broker=3.0, runs=1):
    """"b" lost its child, the broker was killed, and so many of its runs were ended before the last one."""
    evidence = good()
    evidence.forgets_acks = forgets_acks
    evidence.kills.append(kill("broker", int(broker * SECOND)))
    evidence.runs += [Run("b", 20 + number, 10, 8 * SECOND, 9 * SECOND) for number in range(runs)]
    return evidence


def test_a_broker_that_forgets_leaves_one_copy_for_each_child_that_was_lost_before():
    assert check(copied()) == []


def test_a_broker_that_dies_while_a_task_is_sent_anew_leaves_a_copy_even_if_it_forgets_nothing():
    assert check(copied(forgets_acks=False, broker=1.6)) == []


@pytest.mark.parametrize("bad", [copied(forgets_acks=False), copied(broker=1.4), copied(runs=2),
                                 copied(forgets_acks=False, broker=1.6, runs=2)],
                         ids=["it does not forget", "it was killed before", "two copies", "two copies of one sending"])
def test_no_more_is_forgiven_a_killed_broker(bad):
    assert check(bad) != []


def test_runs_are_read_as_the_recorder_writes_them(tmp_path):
    path = tmp_path / "record"
    record = Record(path)
    assert record.read() == []
    path.write_text("S k1 5 4 100\nS k2 6 4 110\nE k1 5 4 120\nS k2 7 4 13")
    assert record.read() == [Run("k1", 5, 4, 100, 120), Run("k2", 6, 4, 110)]
    with open(path, "a") as file:
        file.write("0\nE k2 7 4 140\n")
    assert record.read() == [Run("k1", 5, 4, 100, 120), Run("k2", 6, 4, 110), Run("k2", 7, 4, 130, 140)]
