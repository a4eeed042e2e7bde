"""Bundles for the tests, built once per run."""

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

RUNNER = os.environ["TASKHOST_RUNNER"]
SDK = Path(os.environ["TASKHOST_SDK"]).resolve()
HERE = Path(__file__).resolve().parent
PLUGINS = HERE.parent.parent / "Plugins"
FOLDER = Path(tempfile.mkdtemp(prefix="taskhost-runner-test-"))
atexit.register(shutil.rmtree, FOLDER)


@lru_cache(None)
def example(name):
    """One of Plugins/, by its own Makefile."""
    subprocess.run(["make", "-s", "-C", PLUGINS / name, f"OUT={FOLDER}", f"TASKHOST_SDK={SDK}"], check=True,
                   stdout=subprocess.DEVNULL)
    return FOLDER / f"{name}.so"


def build(name, *sources, flags=(), compiler=("cc", "-std=gnu11"), stderr=None):
    out = FOLDER / f"{name}.so"
    subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", f"-I{SDK}/include", *flags,
                    "-o", out, *[HERE / "bundles" / source for source in sources]],
                   check=True, stderr=stderr)
    return out


@lru_cache(None)
def types():
    return build("types", "types.c", "more_types.c", flags=[f"-Wl,--version-script={SDK}/bundle.map"])


def bad(name, *defines, flags=()):
    return build(name, "bad.c", flags=[*[f"-D{define}" for define in defines], *flags])
