"""The gateways for SMS (POST /sms) and to devices (POST /push). Las pasarelas de SMS y de avisos a dispositivos.

    gateways.py LOG

It prints its port. LOG gets a JSON line for each request: path, to, status, time, how many requests were under way, and whether this
notice had been taken before (`again`): then it is not sent on twice. Numbers that end in 000 do not exist (404), devices that
begin with "gone" are gone (410), those that begin with "busy" are busy once (503).
"""
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 0.05
lock = threading.Lock()
known, put_off = set(), set()
running = {"/sms": 0, "/push": 0}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            running[self.path] += 1
            together, again = running[self.path], message["id"] in known
            status = self.status(message)
        time.sleep(SECONDS)
        with lock:
            running[self.path] -= 1
            log.write(json.dumps({"path": self.path, "to": message["to"], "status": status, "time": time.time(),
                                  "together": together, "again": again}) + "\n")
            log.flush()
        self.send_response(status)
        self.end_headers()

    def status(self, message):
        to = message["to"]
        if not to or to.endswith("000"):
            return 404
        if to.startswith("gone"):
            return 410
        if to.startswith("busy") and to not in put_off:
            put_off.add(to)
            return 503
        known.add(message["id"])
        return 200

    def log_message(self, *words):
        """Not a line for each request."""


log = open(sys.argv[1], "a")
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
