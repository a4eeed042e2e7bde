"""The programs of another floor beside ours (--check-floor FOLDER): the same queues, filled by us. Its command line is
`floor pool|zygote|lanes --queue Q --children N --inflight N --batch --prefetch N --result none|redis|amqp`, its tally a header of
64 bytes, which begins with the number of claimed places, and places of 64 bytes: pid, count, first, last."""
import mmap
import os
import struct
import subprocess
from urllib.parse import urlsplit

from workers import BUILD, Floor

PLACES, STRIDE = 1024, 64


class Tally:
    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(STRIDE * (PLACES + 1))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def read(self):
        used = min(struct.unpack_from("Q", self.map, 0)[0], PLACES)
        found = [struct.unpack_from("QQQ", self.map, STRIDE * (place + 1) + 8) for place in range(used)]
        busy = [one for one in found if one[0]]
        return (sum(one[0] for one in busy), min((one[1] for one in busy), default=0),
                max((one[2] for one in busy), default=0))

    def done(self):
        return self.read()[0]


def build(folder):
    """Builds it; the program's path."""
    out = os.path.join(BUILD, "check-floor")
    subprocess.run(["make", "--silent", "-C", os.path.join(folder, "c"), f"OUT={out}", os.path.join(out, "floor")], check=True)
    return os.path.join(out, "floor")


def start(ground, log, mode, url, queue, tally, in_flight=1, batch=False, results=None, prefetch=256):
    words = [ground.check_floor, mode, "--queue", queue, "--children", "2", "--inflight", str(in_flight), "--prefetch",
             str(prefetch), *(["--batch"] if batch else []), "--result",
             "none" if results is None else "amqp" if results == "rpc" else "redis"]
    redis = urlsplit(ground.redis_url)
    return Floor(log, words=words, environment={
        "BENCH_AMQP": url, "BENCH_TALLY": tally, "BENCH_REDIS_HOST": redis.hostname, "BENCH_REDIS_PORT": str(redis.port),
        "BENCH_REDIS_DB": redis.path.strip("/") or "0"})
