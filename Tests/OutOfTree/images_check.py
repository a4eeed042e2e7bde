"""The images bundle: real operations on a real photograph."""

import shutil
import struct

from calls import loaded


def size(path):
    """Width and height of a JPEG, from its frame header."""
    data = path.read_bytes()
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if 0xFFC0 <= marker <= 0xFFC2:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length


def check(runner, path, photograph, folder):
    source = folder / "rocket.jpg"
    shutil.copy(photograph, source)
    before = source.read_bytes()
    with loaded(runner, path) as images:
        operations = [
            {"operation": "blur", "sigma": 2}, {"operation": "rotate", "degrees": 90},
            {"operation": "resize", "width": 200},
            {"operation": "enhance", "sharpness": 1.5, "contrast": 1.2, "brightness": 1.1, "saturation": 0},
        ]
        report = images.value("images.process", str(source), operations)
        assert [state["meta"] for state in images.states] == [
            {"done": number + 1, "total": 4, "operation": step["operation"]} for number, step in enumerate(operations)
        ], f"progress after each operation: {images.states}"
        output = folder / report["output"].rsplit("/", 1)[1]
        assert (report["output"], report["width"]) == (str(output), 200)
        assert report["operations"] == ["blur", "rotate", "resize", "enhance"]
        assert size(output) == (200, report["height"]) and report["height"] in (299, 300), "turned, then resized"

        assert images.value("images.thumbnail", str(source))["width"] == 160
        report = images.value("images.thumbnail", str(source), width=100, height=50)
        assert (report["width"], report["height"]) == (75, 50), f"fits the box: {report}"
        other = folder / "other"
        other.mkdir()
        report = images.value("images.blur", str(source), output_dir=str(other))
        assert size(other / report["output"].rsplit("/", 1)[1]) == (640, 427)
        report = images.value("images.rotate", str(source), 90)
        assert (report["width"], report["height"]) == (427, 640)

        missing = images.failure("images.blur", str(folder / "none.jpg"))
        assert missing["exc_type"] == "FileNotFoundError" and missing["exc_module"] == "builtins"
        assert missing["exc_message"] == [2, "No such file or directory", str(folder / "none.jpg")]
        assert images.failure("images.blur", str(folder))["exc_type"] == "IsADirectoryError"
        assert images.failure("images.blur", str(source), output_dir="/none")["exc_type"] == "FileNotFoundError"
        (folder / "text.jpg").write_text("no picture")
        assert images.failure("images.blur", str(folder / "text.jpg"))["exc_type"] == "ImageError"
        assert images.failure("images.blur", str(source), sigma=0)["exc_type"] == "ValueError"
        assert "sparkle" in images.failure("images.process", str(source), [{"operation": "sparkle"}])["exc_message"][0]

        images.fresh()
        assert images.value("images.blur", str(source))["operations"] == ["blur"], "a fresh child, too"
    assert source.read_bytes() == before, "the source stays as it was"
    assert not list(folder.rglob("*.part")), "no half files"
