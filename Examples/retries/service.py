"""A service that is not always well. Un servicio que no siempre anda bien.

    service.py FOLDER

It prints its port. /price is busy (503) as long as there is a file FOLDER/down; /flaky is busy twice; all others are not there
(404). FOLDER/requests.jsonl gets a JSON line for each request: path, status and time.
"""
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]
lock = threading.Lock()
flaky = [503, 503]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        with lock:
            status = self.status()
            with open(os.path.join(folder, "requests.jsonl"), "a") as log:
                log.write(json.dumps({"path": self.path, "status": status, "time": time.time()}) + "\n")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"3.50" if status == 200 else b"")

    def status(self):
        if self.path == "/price":
            return 503 if os.path.exists(os.path.join(folder, "down")) else 200
        if self.path == "/flaky":
            return flaky.pop() if flaky else 200
        return 404

    def log_message(self, *words):
        """Not a line for each request."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
