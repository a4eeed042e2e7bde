"""What looks for dead links in the built site finds them (site/links.py)."""
import importlib.util

import commands

spec = importlib.util.spec_from_file_location("links", commands.ROOT / "site" / "links.py")
links = importlib.util.module_from_spec(spec)
spec.loader.exec_module(links)


def test_links_to_missing_files_and_anchors_are_found_and_others_are_not(tmp_path):
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1>')
    (tmp_path / "a.html").write_text('<p id="top"><a href="b.html#here">1</a> <a href="#top">2</a> <a href="b.html">3</a>\n'
                                     '<a href="https://example.org/x">4</a>\n<a href="c.html">5</a>\n<a href="b.html#there">6</a>\n'
                                     '<img src="no.png">')
    found, looked, others = links.dead(tmp_path)
    assert [(line, link) for _, line, link in found] == [(3, "c.html"), (4, "b.html#there"), (5, "no.png")]
    assert (looked, others) == (6, 1)
