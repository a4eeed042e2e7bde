"""The ports that servers of tests are given."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
from servers import process  # noqa: E402


class Draws:
    """Draws the ports it is told, in that order."""

    def __init__(self, ports):
        self.ports = ports

    def sample(self, *_):
        return self.ports


def test_a_port_is_given_once_though_no_server_listens_on_it_yet(monkeypatch):
    first, second = process.free_ports(2)
    monkeypatch.setattr(process.random, "SystemRandom", lambda: Draws([first, second, *range(11000, 11200)]))
    assert not {first, second} & set(process.free_ports(2))


def test_a_port_that_another_process_was_given_is_not_given_again():
    port = process.free_ports(1)[0]
    script = f"from servers import process; print(process.reserve({port}), process.is_free({port}))"
    told = subprocess.run([sys.executable, "-c", script], cwd=HERE, capture_output=True, text=True,
                          check=True)
    assert told.stdout.split() == ["False", "True"]
