"""Sends pages to the crawler, and shows on a page of its own how far it is. Envía páginas y muestra cómo va.

    crawl.py ADDRESS FILE [PORT]

ADDRESS is the broker's and the results', FILE has one URL in a line. http://127.0.0.1:PORT shows live figures, /stats.json
the same for programs; without PORT a free one is taken. The last figures are printed, and shown until a line, or the end, of
the standard input.
"""
import collections
import json
import sys
import threading
from urllib.parse import urlsplit

import live
from celery import Celery
from celery.result import ResultSet

address, file = sys.argv[1:3]
port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
app = Celery(broker=address, backend=address)

# Domains that must not wait. Dominios que no deben esperar.
URGENT = {"127.0.0.1"}


@app.task(name="crawler.fetch")
def fetch(url):
    """In the bundle. Está en el bundle."""


class Figures:
    """What is known so far, by queue and by domain. Lo que se sabe hasta ahora."""

    def __init__(self, total):
        self.lock = threading.Lock()
        self.total = total
        self.counts = {name: collections.Counter() for name in ("outcome", "queue", "domain")}

    def add(self, meta):
        fetched = meta["result"] if meta["status"] == "SUCCESS" else {"outcome": meta["status"]}
        with self.lock:
            self.counts["outcome"][fetched["outcome"]] += 1
            self.counts["queue"][fetched.get("queue")] += 1
            self.counts["domain"][urlsplit(fetched.get("url", "")).hostname] += 1

    def json(self):
        with self.lock:
            waiting = self.total - sum(self.counts["outcome"].values())
            return json.dumps({"total": self.total, "waiting": waiting, **self.counts})


with open(file) as lines:
    urls = lines.read().split()
figures = Figures(len(urls))
live.show("crawler", figures.json, port)

sent = [fetch.apply_async((url,), queue="urgent" if urlsplit(url).hostname in URGENT else "normal") for url in urls]
for _, meta in ResultSet(sent).iter_native():
    figures.add(meta)
print(figures.json(), flush=True)
live.until_enter()
