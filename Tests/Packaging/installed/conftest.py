"""One machine for all tests of a file, the packages in two versions beside it."""
import os
import sys
from pathlib import Path

import packages
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from machine import Machine  # noqa: E402

OLD, NEW = "0.1.0~1-1", "0.1.0~2-1"


@pytest.fixture(scope="session")
def shelf(dist, tmp_path_factory):
    """The packages, old and new, and bundles to put into the machine."""
    folder = tmp_path_factory.mktemp("shelf")
    folder.chmod(0o755)
    for version in (OLD, NEW):
        packages.build(dist, folder, version)
    for bundle in ("sleeper", "arithmetic"):
        (folder / f"{bundle}.so").write_bytes((dist / "plugins" / f"{bundle}.so").read_bytes())
    return folder


@pytest.fixture(scope="module")
def machine(shelf):
    # This Python, whose environment has Celery: Debian 12's own Celery is older than what taskhost runs.
    one = Machine(os.environ["TASKHOST_TEST_MACHINE"], shelf, [sys.prefix, sys.base_prefix])
    yield one
    one.stop()
