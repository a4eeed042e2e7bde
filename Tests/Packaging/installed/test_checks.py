"""What others say of the packages and manifests: lintian, the schemas of Kubernetes; and that bytes are the same again."""
import shutil
import subprocess
from pathlib import Path

import packages
import pytest
import yaml
from compare import differences
from conftest import OLD

ROOT = Path(__file__).resolve().parent.parent.parent.parent
# The oldest and the newest that the manifests are for.
VERSIONS = ("1.25", "1.37")


def test_lintian_has_neither_errors_nor_warnings(shelf):
    said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags",
                           "bad-distribution-in-changes-file", *shelf.glob(f"*_{OLD}_*.deb")], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_same_tree_gives_the_same_bytes(dist, tmp_path):
    sources = packages.copy_sources(tmp_path)
    shutil.copytree(dist, tmp_path / "tree", symlinks=True)
    subprocess.run(["bash", "-c", "umask 077; cp -R tree other; touch other/share/man/man1/*"], cwd=tmp_path, check=True)
    first, again = (packages.build(tmp_path / tree, tmp_path / f"{tree}-deb", sources=sources) for tree in ("tree", "other"))
    assert [line for name in first for line in differences(first[name], again[name])] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifests_are_of_kubernetes(version):
    import kubernetes_validate

    for manifest in yaml.safe_load_all((ROOT / "contrib/kubernetes/worker.yaml").read_text()):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_field_is_found():
    import kubernetes_validate

    manifest = next(yaml.safe_load_all((ROOT / "contrib/kubernetes/worker.yaml").read_text()))
    manifest["spec"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)


def test_pages_are_read_by_man_without_a_warning(dist):
    for page in sorted((dist / "share/man").glob("man*/*")):
        said = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], capture_output=True,
                              text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
        assert said.returncode == 0 and said.stderr == "", f"{page.name}: {said.stderr}"
