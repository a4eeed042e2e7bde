"""Where the build and the servers are: read from the environment, missing ones are errors that name the fix."""
import os

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


class Missing(Exception):
    """A test can't run as things are; never a silent skip."""


def server(name):
    value = os.environ.get(f"TASKHOST_TEST_{name}")
    if not value:
        raise Missing(f"TASKHOST_TEST_{name} is not set: run this through Tests/Support/with-servers")
    return value


def dist(*parts):
    """A file of the built tree ($TASKHOST_TEST_DIST, default .build/dist)."""
    folder = os.environ.get("TASKHOST_TEST_DIST") or os.path.join(ROOT, ".build", "dist")
    path = os.path.join(os.path.abspath(folder), *parts)
    if not os.path.exists(path):
        raise Missing(f"{path} is missing: run `make build` (or set TASKHOST_TEST_DIST to a built tree)")
    return path


def taskhost():
    return dist("bin", "taskhost")
