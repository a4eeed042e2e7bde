"""Progress of long runs."""
from lab.wait import until
from progress import Progress


def test_a_run_that_only_waits_is_told_of_again_and_again(capfd):
    asked = []
    with Progress(lambda: asked.append(1) or "7 of 9 kills", every=0.01):
        until("three lines", lambda: len(asked) > 3)
    assert capfd.readouterr().out.count(" s: 7 of 9 kills\n") >= 3


def test_a_short_run_says_nothing_on_its_way(capfd):
    with Progress(lambda: "never"):
        pass
    assert capfd.readouterr().out == ""
