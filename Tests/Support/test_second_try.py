"""The second try of failed tests (stages/again.py), on real runs of pytest."""
import os
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stages import again, stage  # noqa: E402

# Fails until a file is there, and makes it.
ONCE = """
import pathlib, pytest
@pytest.mark.parametrize("broker", ["redis", "file"])
def test_{name}(broker):
    mark = pathlib.Path(__file__).with_name("{name}-" + broker)
    known = mark.exists()
    mark.touch()
    assert known or broker == "file"
"""
NEVER = "def test_{name}(): assert False\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(again, "USED", [])
    (tmp_path / "Tests" / "Few").mkdir(parents=True)
    (tmp_path / "Tests" / "Few" / "pytest.ini").write_text("[pytest]\n")

    def run(**texts):
        for name, text in texts.items():
            (tmp_path / "Tests" / "Few" / f"test_{name}.py").write_text(text.replace("{name}", name))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "Tests/Few", "--junitxml={xml}"]
        return stage.Stage("few", command, "xml").run(tmp_path, Path(tmp_path), dict(os.environ))

    return run


def test_a_test_that_passes_alone_is_told_as_flaky(run, capsys):
    assert run(once=ONCE) == (2, 0)
    assert "flaky: test_once.test_once[redis] failed, and passed alone" in capsys.readouterr().out


def test_a_test_that_fails_again_has_failed(run, capsys):
    assert run(never=NEVER, once=ONCE) == (1, 2)
    assert "flaky" not in capsys.readouterr().out


def test_more_failures_than_allowed_are_not_run_again(run):
    assert run(once=ONCE, other=ONCE, third=ONCE) == (3, 3)
    assert again.USED == []


def test_swift_tests_are_run_again_by_name():
    one = stage.Stage("swift", ["with-servers", "swift", "test", "--skip-build", "--skip", "^A\\.", "--xunit-output", "{xml}"])
    assert again.command(one, [("B.Suite", "heard(_:)")]) == [
        "with-servers", "swift", "test", "--skip-build", "--xunit-output", "{xml}", "--filter", "^B\\.Suite/heard\\("]
