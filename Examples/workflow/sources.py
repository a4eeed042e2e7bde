"""Makes the three sources, and serves the third: points inside of a circle have the label 1. Las tres fuentes.

    sources.py FOLDER

Writes FOLDER/first.csv and second.csv and prints a port, where /third.csv is; the first time it is asked it is busy (503).
"""
import random
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

random.seed(7)


def samples(count):
    points = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(count)]
    return "".join(f"{x:.4f},{y:.4f},{int(x * x + y * y < 0.5)}\n" for x, y in points)


class Handler(BaseHTTPRequestHandler):
    third = samples(200).encode()
    asked = False

    def do_GET(self):
        if self.path != "/third.csv":
            return self.send_error(404)
        if not Handler.asked:
            Handler.asked = True
            return self.send_error(503)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.third)

    def log_message(self, *words):
        """Not a line for each request."""


for name in ("first", "second"):
    with open(f"{sys.argv[1]}/{name}.csv", "w") as file:
        file.write(samples(200))
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
