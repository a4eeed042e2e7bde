"""An API with limits of its own, which notes who asked for what. Una API con límites propios.

    api.py LOG PER_SECOND

It prints its port. LOG gets a JSON line for each request: path, status, and how many of its kind were under way.

    GET /data/…           at most PER_SECOND in any second; above that 429, with the time to wait
    POST /payments        {"id", "user", "amount"}: an id is charged once; 409 while the same user has another under way
    GET /slow/KIND/…      takes its time
    GET /figures          answered and refused so far, and the most that were under way at a time, by kind
"""
import asyncio
import collections
import json
import sys
import time

WORK_SECONDS = 0.3


class API:
    def __init__(self, log, per_second):
        self.log = open(log, "a")
        self.recent = collections.deque(maxlen=per_second)
        self.running = collections.Counter()
        self.most = collections.Counter()
        self.statuses = collections.Counter()
        self.charged = {}

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split()
            fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            status, more, answer = await self.answer(method, path, body)
            text = json.dumps(answer)
            writer.write(f"HTTP/1.0 {status} said\r\n{more}Content-Type: application/json\r\n\r\n{text}".encode())
            await writer.drain()
        finally:
            writer.close()

    async def answer(self, method, path, body):
        if path == "/figures":
            return 200, "", {"statuses": self.statuses, "most": self.most}
        if path.startswith("/data/"):
            kind, status, more, answer = "data", *self.data(path)
        elif path.startswith("/slow/"):
            kind = path.split("/")[2]
            status, more, answer = await self.under_way(kind, lambda: {"path": path})
        elif (method, path) == ("POST", "/payments"):
            kind, status, more, answer = "payments", *await self.payment(json.loads(body))
        else:
            kind, status, more, answer = "other", 404, "", {"error": f"nothing at {path}"}
        self.statuses[status] += 1
        self.log.write(json.dumps({"path": path, "status": status, "kind": kind, "together": self.running[kind]}) + "\n")
        self.log.flush()
        return status, more, answer

    def data(self, path):
        now = time.monotonic()
        if len(self.recent) == self.recent.maxlen and now - self.recent[0] < 1:
            return 429, "Retry-After: 1\r\n", {"error": "too many calls"}
        self.recent.append(now)
        return 200, "", {"path": path}

    async def payment(self, order):
        if order["id"] in self.charged:
            return 200, "", self.charged[order["id"]]
        user = f"payments of {order['user']}"
        if self.running[user]:
            return 409, "", {"error": f"{order['user']} has a payment under way"}
        self.running["payments"] += 1
        self.most["payments"] = max(self.most["payments"], self.running["payments"])
        try:
            return await self.under_way(user, lambda: self.charged.setdefault(order["id"], order))
        finally:
            self.running["payments"] -= 1

    async def under_way(self, kind, result):
        self.running[kind] += 1
        self.most[kind] = max(self.most[kind], self.running[kind])
        try:
            await asyncio.sleep(WORK_SECONDS)
            return 200, "", result()
        finally:
            self.running[kind] -= 1


async def main(log, per_second):
    server = await asyncio.start_server(API(log, int(per_second)).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
