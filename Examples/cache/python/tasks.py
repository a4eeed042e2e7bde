"""The same tasks as a Celery app. Las mismas tareas como app de Celery.

    CELERY_BROKER_URL=redis://… CELERY_RESULT_BACKEND=redis://… taskhost -A tasks worker -B     # or celery -A tasks worker -B

The cache lies in database 1 of the Redis at CACHE_HOST and CACHE_PORT, as ../Sources/redis.h says; SOURCE is the shop's database.
"""
import contextlib
import json
import os
import sqlite3
import time

import redis
from celery import Celery, group
from celery.utils.log import get_task_logger

app = Celery("cache")
app.conf.worker_prefetch_multiplier = 1
app.conf.beat_schedule = {"cache.check": {"task": "cache.check", "schedule": 600, "options": {"expires": 600}}}

log = get_task_logger(__name__)
TTL_SECONDS, RENEWED_BEFORE_SECONDS = 600, 60
# Connected when a task first asks: nothing is open when children are forked. / Se conecta cuando una tarea pregunta.
cache = redis.Redis(os.environ.get("CACHE_HOST", "127.0.0.1"), int(os.environ.get("CACHE_PORT", 6379)), db=1,
                    decode_responses=True)


def source():
    """The shop, for reading. La tienda, solo para leer."""
    return contextlib.closing(sqlite3.connect(f"file:{os.environ['SOURCE']}?mode=ro", uri=True, timeout=5))


def generations(category):
    return " ".join(number or "0" for number in cache.mget("generation:products", f"generation:{category}"))


# One statement is one state of the database: figures and version belong together. Una sola foto de la base.
SUMMARY = """
    SELECT v.version, count(p.cents), min(p.cents), max(p.cents), (SELECT cents FROM products WHERE category = ?1
    ORDER BY cents LIMIT 1 OFFSET (SELECT count(*) FROM products WHERE category = ?1) / 2)
    FROM versions v LEFT JOIN products p ON p.category = v.category WHERE v.category = ?1 GROUP BY v.version
"""


@app.task(name="cache.compute", soft_time_limit=60, time_limit=70, max_retries=3, autoretry_for=(redis.ConnectionError,),
          retry_backoff=True)
def compute(category):
    """Reckons a category up and keeps it. Of many that ask at once one reckons, and the others find its value: a lock in Redis
    lets one run of each category, over all workers. / Si muchos preguntan a la vez, uno calcula: un cerrojo en Redis."""
    with cache.lock(f"computing:{category}", timeout=70):
        seen = generations(category)
        if cache.hget(f"value:{category}", "seen") == seen:
            cache.hincrby("figures", "found")
            return "found"
        with source() as database:
            row = database.execute(SUMMARY, (category,)).fetchone()
        if row is None:
            raise KeyError(category)
        # To have something to look at. Para que haya algo que mirar.
        time.sleep(float(os.environ.get("CACHE_PACE", 0)))
        text = json.dumps(dict(zip(("products", "cheapest", "dearest", "median"), row[1:])))
        with cache.pipeline() as kept:
            # With the generations from before: what was invalidated meanwhile is stale at once. / Lo invalidado mientras tanto,
            # ya es viejo.
            kept.hset(f"value:{category}", mapping={"json": text, "seen": seen}).expire(f"value:{category}", TTL_SECONDS)
            kept.sadd("tag:products", category).sadd(f"tag:{category}", category)
            kept.hsetnx("versions", category, row[0]).hincrby("figures", "computed")
            kept.execute()
        log.info("%s is reckoned anew: %s", category, text)
        return "computed"


def replaced(task, categories):
    """A group of compute takes the place of the task: all workers take part. Un grupo toma el lugar de la tarea."""
    if not categories:
        return []
    raise task.replace(group(compute.si(category) for category in categories))


@app.task(name="cache.invalidate", bind=True, time_limit=60)
def invalidate(self, tag):
    """Makes stale what lies under a tag, and has it reckoned anew. Lo que lleva esa etiqueta pasa a ser viejo."""
    cache.incr(f"generation:{tag}")
    cache.hincrby("figures", "invalidated")
    categories = sorted(cache.smembers(f"tag:{tag}"))
    log.info("%s is invalidated: %d values", tag, len(categories))
    return replaced(self, categories)


@app.task(name="cache.warm", bind=True, time_limit=60)
def warm(self):
    """Has all reckoned that the cache lacks. Calcula todo lo que falta."""
    with source() as database:
        categories = [category for (category,) in database.execute("SELECT category FROM versions ORDER BY category")]
    return replaced(self, [category for category in categories if not cache.exists(f"value:{category}")])


@app.task(name="cache.check", time_limit=60, ignore_result=True)
def check():
    """Has what changed at the source, and what will soon be gone, reckoned anew. Lo que cambió, o está por vencer."""
    with source() as database:
        versions = database.execute("SELECT category, version FROM versions ORDER BY category").fetchall()
    for category, version in versions:
        known, left = cache.hget("versions", category), cache.ttl(f"value:{category}")
        if (known is not None and int(known) != version) or 0 <= left < RENEWED_BEFORE_SECONDS:
            # Sent, then noted: after a crash between the two it is sent again, not forgotten. Primero enviar.
            invalidate.delay(category)
            cache.hset("versions", category, version)
