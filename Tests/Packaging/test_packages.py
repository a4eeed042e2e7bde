"""The Debian packages hold what they should, with modes that any builder's umask gives, and depend on what is linked."""
import re
import subprocess

import packages
import pytest


@pytest.fixture(scope="module")
def built(dist, tmp_path_factory):
    return packages.build(dist, tmp_path_factory.mktemp("deb"))


def paths(package):
    return {path for _, _, path in packages.contents(package)}


def test_the_runtime_has_program_service_settings_pages_and_completions(built):
    held = paths(built["taskhost"])
    assert {"/usr/bin/taskhost", "/usr/libexec/taskhost/taskhost-runner", "/usr/lib/taskhost/python.so",
            "/lib/systemd/system/taskhost.service", "/usr/lib/sysusers.d/taskhost.conf", "/etc/taskhost/taskhost.toml",
            "/usr/lib/taskhost/plugins/arithmetic.so", "/usr/share/bash-completion/completions/taskhost",
            "/usr/share/zsh/vendor-completions/_taskhost", "/usr/share/fish/vendor_completions.d/taskhost.fish",
            "/usr/share/man/man1/taskhost-worker.1.gz", "/usr/share/man/man5/taskhost.toml.5.gz"} <= held
    # What the tests crash workers with stays at home.
    assert not [path for path in held if "saboteur" in path]


def test_the_sdk_is_apart_and_knows_where_it_lies(built, tmp_path):
    held = paths(built["taskhost-dev"])
    assert {"/usr/include/taskhost.h", "/usr/share/taskhost/sdk/Package.swift", "/usr/lib/taskhost/libTaskhostSDK.a",
            "/usr/lib/taskhost/libTaskhostTesting.a", "/usr/share/pkgconfig/taskhost.pc", "/usr/share/taskhost/sdk/templates/c/Makefile"} <= held
    shared = {path for path in held & paths(built["taskhost"]) if not path.endswith("/")}
    assert not shared, "both packages have these files"
    subprocess.run(["dpkg-deb", "-x", built["taskhost-dev"], tmp_path], check=True)
    local = subprocess.run(["grep", "-rlI", "/usr/local/\\(include\\|share\\|lib\\)", tmp_path / "usr/share/taskhost"],
                           capture_output=True, text=True).stdout
    assert local == "", "these point at an installation by make install"


def test_every_file_is_roots_and_writable_for_root_alone(built):
    for package in built.values():
        for mode, owner, path in packages.contents(package):
            assert owner == "root/root" and mode[1:] in ("rwxr-xr-x", "rw-r--r--"), f"{path} is {mode} {owner}"


def test_what_is_linked_is_depended_on(built):
    depends = packages.fields(built["taskhost"])["Depends"]
    for library in ("libc6", "librabbitmq4", "libsqlite3-0", "libssl3", "libffi8"):
        assert re.search(rf"\b{library}\S* \(>=", depends), f"{library} is not in {depends}"


def test_what_is_opened_at_use_is_recommended_or_suggested(built):
    fields = packages.fields(built["taskhost"])
    for library, field in (("libpq5", "Recommends"), ("libmariadb3", "Recommends"), ("libmongoc-1.0-0", "Suggests")):
        assert library in re.split(r"[,| ]+", fields[field]), f"{library} is not in {field}: {fields[field]}"


def test_the_unit_starts_what_the_package_has(built, tmp_path):
    subprocess.run(["dpkg-deb", "-x", built["taskhost"], tmp_path], check=True)
    unit = (tmp_path / "lib/systemd/system/taskhost.service").read_text()
    words = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].split()
    assert (tmp_path / words[0].lstrip("/")).exists()
    assert (tmp_path / words[words.index("--config") + 1].lstrip("/")).exists()
    assert "/usr/local" not in unit
