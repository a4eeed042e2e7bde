"""The shop: its database and cache, its server of prices, and a look at what was done. La tienda del ejemplo.

    shop.py open FOLDER        makes the database and the cache, then serves the prices; it prints its port
    shop.py runs FOLDER        how often each task ran, as JSON
    shop.py now ADDRESS TASK [ARGUMENT…]   runs a task out of its turn; ADDRESS is the broker's and the results'
"""
import datetime
import http.server
import json
import os
import sqlite3
import sys
import time

TABLES = """
CREATE TABLE sales (customer TEXT, product TEXT, amount REAL, at TEXT);
CREATE TABLE prices (product TEXT PRIMARY KEY, price REAL);
CREATE TABLE invoices (customer TEXT, month TEXT, amount REAL, PRIMARY KEY (customer, month));
CREATE TABLE runs (id TEXT PRIMARY KEY, task TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
"""
PRICES = {"tea": 3.5, "coffee": 4.25}


class Prices(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(PRICES).encode())

    def log_message(self, *words):
        """Not a line for each request."""


def make(folder):
    for name in ("cache", "backups", "reports"):
        os.mkdir(os.path.join(folder, name))
    for name, hours in (("old-1", 5), ("old-2", 2), ("fresh", 0)):
        path = os.path.join(folder, "cache", name)
        with open(path, "w") as file:
            file.write(name)
        os.utime(path, (time.time() - hours * 3600,) * 2)
    now = datetime.datetime.now(datetime.timezone.utc)
    last_month = (now.replace(day=1) - datetime.timedelta(days=1)).replace(day=10)
    sales = [("ana", "tea", 3.5, now), ("ana", "tea", 3.5, now), ("luis", "coffee", 4.25, now),
             ("ana", "tea", 10, last_month), ("luis", "tea", 20, last_month), ("luis", "coffee", 1, last_month)]
    with sqlite3.connect(os.path.join(folder, "shop.db")) as database:
        database.executescript(TABLES)
        database.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)",
                             [(*sale, at.strftime("%Y-%m-%d %H:%M:%S")) for *sale, at in sales])


def runs(folder):
    with sqlite3.connect(f"file:{folder}/shop.db?mode=ro", uri=True, timeout=10) as database:
        return dict(database.execute("SELECT task, count(*) FROM runs GROUP BY task"))


if sys.argv[1] == "open":
    make(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prices)
    print(server.server_port, flush=True)
    server.serve_forever()
elif sys.argv[1] == "runs":
    print(json.dumps(runs(sys.argv[2])))
else:
    from celery import Celery

    address, task, *arguments = sys.argv[2:]
    print(json.dumps(Celery(broker=address, backend=address).send_task(task, arguments).get(timeout=60)))
