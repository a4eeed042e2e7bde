"""A site of several domains (127.0.0.1, 127.0.0.2, …) for the crawler, which notes who asked for what. Un sitio de prueba.

    site.py LOG DOMAINS

It prints its port. LOG gets a JSON line for each request: host, path, and how many requests of the same host, and of all, were
under way. A page takes its time, as elsewhere; /flaky fails the first time (503), /missing is not there (404).
"""
import asyncio
import collections
import json
import sys


PAGE_SECONDS = 0.3


class Site:
    def __init__(self, log):
        self.log = open(log, "a")
        self.running = collections.Counter()
        self.failed = set()

    async def serve(self, reader, writer):
        host = writer.get_extra_info("sockname")[0]
        self.running[host] += 1
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
            together = sum(1 for count in self.running.values() if count)
            self.log.write(json.dumps({"host": host, "path": path, "same": self.running[host], "domains": together}) + "\n")
            self.log.flush()
            await asyncio.sleep(PAGE_SECONDS)
            writer.write(self.page(host, path))
            await writer.drain()
        finally:
            self.running[host] -= 1
            writer.close()

    def page(self, host, path):
        if path == "/missing":
            return b"HTTP/1.0 404 Not Found\r\n\r\n"
        if path == "/flaky" and host not in self.failed:
            self.failed.add(host)
            return b"HTTP/1.0 503 Busy\r\n\r\n"
        body = f"<html><title>{path} of {host}</title><a href='/'>home</a></html>"
        return f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{body}".encode()


async def main(log, domains):
    site = Site(log)
    first = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    port = first.sockets[0].getsockname()[1]
    for number in range(2, int(domains) + 1):
        await asyncio.start_server(site.serve, f"127.0.0.{number}", port)
    print(port, flush=True)
    await first.serve_forever()


asyncio.run(main(*sys.argv[1:]))
