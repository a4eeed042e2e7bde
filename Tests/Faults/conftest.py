"""Fault tests share the lab of the journeys. By hand:
Tests/Support/with-servers "$(Tests/Support/venv)" -m pytest -s Tests/Faults
"""
import os
import sys

import pytest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support")]
from lab import clients  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def own_connections():
    """No file's tests get a connection that others' clients have used; some files keep a client for all of theirs."""
    yield
    clients.close_pools()
