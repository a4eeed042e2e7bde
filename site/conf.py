"""The documentation site (make site): the repository's own Markdown, unchanged, by Sphinx and MyST."""
import os
import re
from pathlib import Path

project = "taskhost"
author = "the authors of taskhost"
release = os.environ.get("TASKHOST_SITE_VERSION", "")
extensions = ["myst_parser"]
root_doc = "site/index"
include_patterns = ["**.md"]
html_theme = "furo"
html_title = "taskhost"
html_show_copyright = False
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False
# GitHub's anchors of headings; its tables and lists are MyST's by default.
myst_heading_anchors = 6
# A block's language may be one that Sphinx has no lexer for; pages may stand for themselves (Examples/*).
suppress_warnings = ["misc.highlighting_failure", "myst.header", "toc.not_included"]

LINK = re.compile(r"(?<!!)\[([^\]\[]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def folders(app, docname, source):
    """On GitHub a link to a folder shows it. Here it leads to its README; where there is none, its name stays."""
    here = Path(app.srcdir, docname).parent

    def lead(found):
        words, target, anchor = found.groups()
        if not (here / target).is_dir():
            return found[0]
        return f"[{words}]({target}/README.md{anchor or ''})" if (here / target / "README.md").exists() else words

    source[0] = LINK.sub(lead, source[0])


def setup(app):
    app.connect("source-read", folders)
