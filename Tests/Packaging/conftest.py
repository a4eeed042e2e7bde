"""What is here is quick and part of `make test`; `installed` boots a machine, and is run by Tests/Packaging/run alone."""
import os
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "Tests" / "Support")]
collect_ignore = [] if os.environ.get("TASKHOST_TEST_MACHINE") else ["installed"]


@pytest.fixture(scope="session")
def dist():
    return Path(os.environ.get("TASKHOST_TEST_DIST", ROOT / ".build" / "dist"))
