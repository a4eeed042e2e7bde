"""Looks at every link within a built site: links.py FOLDER. Exit status 1 if a file or an anchor is not there.

Links to other hosts are counted, not followed.
"""
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.anchors |= {told[name] for name in ("id", "name") if told.get(name)}
        for name in ("href", "src"):
            if told.get(name) and tag != "meta":
                self.links.append((self.getpos()[0], told[name]))


def dead(folder):
    """(page, line, link) of each that leads nowhere; how many were looked at, and how many lead to other hosts."""
    pages = {path.resolve(): Page(path.read_text()) for path in folder.rglob("*.html")}
    found, looked, others = [], 0, 0
    for path, page in pages.items():
        for line, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                others += 1
                continue
            looked += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or target.is_dir():
                found.append((path, line, link))
            # The top of a page needs no anchor.
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append((path, line, link))
    return found, looked, others


def main(folder):
    found, looked, others = dead(folder)
    for path, line, link in found:
        print(f"error: {path.relative_to(folder.resolve())}:{line} links to {link}, which is not there", file=sys.stderr)
    print(f"{looked} links within the site, {len(found)} of them dead; {others} to other places")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
