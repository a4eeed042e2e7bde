"""Reads the cache as a program would, and has it changed. Lee la caché como lo haría un programa, y la hace cambiar.

    cache.py ADDRESS SOURCE

ADDRESS is the broker's, Redis; the cache lies in the database 1 of the same server. Prints a line of JSON for each scene.
"""
import collections
import json
import sqlite3
import sys
import time
from urllib.parse import urlsplit

import redis
from celery import Celery, group

address, source = sys.argv[1:3]
app = Celery(broker=address, backend=address)
place = urlsplit(address)
cache = redis.Redis(place.hostname, place.port, db=1, decode_responses=True)


@app.task(name="cache.compute")
def compute(category):
    """In the bundle, as the others. En el bundle, como las otras."""


@app.task(name="cache.invalidate")
def invalidate(tag): ...


@app.task(name="cache.warm")
def warm(): ...


def read(category):
    """The value and "fresh" or "stale". What is missing is waited for; who gets what is stale knows it, and need not wait."""
    with cache.pipeline() as asked:
        asked.hgetall(f"value:{category}").mget("generation:products", f"generation:{category}")
        value, generations = asked.execute()
    if not value:
        cache.hincrby("figures", "missed")
        compute.delay(category).get(timeout=60)
        return json.loads(cache.hget(f"value:{category}", "json")), "fresh"
    state = "fresh" if value["seen"] == " ".join(number or "0" for number in generations) else "stale"
    cache.hincrby("figures", state)
    return json.loads(value["json"]), state


def tell(scene, begun, **what):
    print(json.dumps({"scene": scene, **what, "seconds": round(time.monotonic() - begun, 1)}), flush=True)


def finished(replaced):
    """The results of the group that took the task's place. Los resultados del grupo que reemplazó a la tarea."""
    return dict(collections.Counter(replaced.get(timeout=60)))


begun = time.monotonic()
tell("warmed", begun, **finished(warm.delay()), keys=len(cache.keys("value:*")))

begun = time.monotonic()
cache.delete("value:books")
answers = group(compute.s("books") for _ in range(50)).apply_async().get(timeout=60)
tell("fifty ask at once", begun, **collections.Counter(answers))

begun = time.monotonic()
old, state = read("books")
with sqlite3.connect(source) as database:
    database.execute("UPDATE products SET cents = 1 WHERE rowid = 1")
warnings = 0
while (value := read("books")) and (value[1] == "stale" or value[0] == old) and time.monotonic() < begun + 60:
    warnings += value[1] == "stale"
    time.sleep(0.02)
tell("the source has changed", begun, cheapest=[old["cheapest"], value[0]["cheapest"]], served_with_a_warning=warnings > 0)

begun = time.monotonic()
tell("all are invalidated", begun, **finished(invalidate.delay("products")))

print(json.dumps({"figures": {name: int(count) for name, count in cache.hgetall("figures").items()}}))
