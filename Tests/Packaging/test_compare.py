"""Two packages that differ: the file and the section are named."""
import gzip
import os
import subprocess

import pytest
from compare import differences, sections

CONTROL = "Package: one\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: {}\n"


@pytest.fixture
def pack(tmp_path):
    def make(name, change=lambda folder: None, description="one"):
        folder = tmp_path / name
        (folder / "DEBIAN").mkdir(parents=True)
        (folder / "DEBIAN/control").write_text(CONTROL.format(description))
        (folder / "notes.gz").write_bytes(gzip.compress(b"one\ntwo\n", mtime=0))
        (folder / "program").write_bytes(open("/bin/true", "rb").read())
        change(folder)
        for path in (folder, *folder.rglob("*")):
            os.utime(path, (1, 1))
        subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", folder, tmp_path / f"{name}.deb"],
                       check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        return tmp_path / f"{name}.deb"

    return make


def test_equal_packages_have_no_differences(pack):
    assert differences(pack("a"), pack("b")) == []


def test_the_line_of_a_compressed_text_is_named(pack):
    other = pack("b", lambda folder: (folder / "notes.gz").write_bytes(gzip.compress(b"one\n2\n", mtime=0)))
    assert "a.deb: /notes.gz: line 2 was 'two', then '2'" in differences(pack("a"), other)


def test_the_section_of_a_program_is_named(pack):
    def change(folder):
        program = bytearray((folder / "program").read_bytes())
        program[program.index(sections(bytes(program))[".rodata"])] ^= 1
        (folder / "program").write_bytes(program)

    assert differences(pack("a"), pack("b", change)) == ["a.deb: /program: differs in .rodata"]


def test_modes_control_fields_and_files_of_one_alone_are_named(pack):
    def change(folder):
        (folder / "program").chmod(0o711)
        (folder / "more").write_text("")

    found = differences(pack("a"), pack("b", change, "other"))
    assert any("/program: -rw-r--r--" in line and "then -rwx--x--x" in line for line in found), found
    assert any("DEBIAN/control: line 5 was 'Description: one'" in line for line in found), found
    assert any("/more is only in" in line and "b.deb" in line for line in found), found
