"""Builds the packages of the built tree, quickly: not squeezed as hard as what is released."""
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def build(dist, out, version="0.1.0-1", epoch="1764547200", sources=ROOT):
    """The packages by their names."""
    variables = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "TASKHOST_DEB_VERSION": version, "TASKHOST_DEB_COMMIT": "0" * 40,
                 "TASKHOST_DEB_SQUEEZE": "-Zgzip -z1"}
    made = subprocess.run([Path(sources) / "scripts" / "build-deb", dist, out], env=variables, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return {path.name.split("_")[0]: path for path in sorted(Path(out).glob(f"*_{version}_*.deb"))}


def copy_sources(to):
    """What build-deb reads besides the built tree. People write to theirs, and commit, while tests run."""
    for part in ("scripts", "contrib", "docs", "Plugins"):
        shutil.copytree(ROOT / part, to / part, symlinks=True, ignore=shutil.ignore_patterns(".build"))
    shutil.copy2(ROOT / "CHANGELOG.md", to)
    return to


def fields(package):
    said = subprocess.run(["dpkg-deb", "-f", package], check=True, capture_output=True, text=True).stdout
    return dict(line.split(": ", 1) for line in said.splitlines() if not line.startswith(" "))


def contents(package):
    """(mode, owner, path) of each file and folder."""
    said = subprocess.run(["dpkg-deb", "-c", package], check=True, capture_output=True, text=True).stdout
    return [(parts[0], parts[1], parts[5].lstrip(".")) for parts in (line.split(None, 5) for line in said.splitlines())]
