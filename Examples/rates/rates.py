"""Sends limited tasks and tells how they went. Envía tareas con límites y cuenta cómo les fue.

    rates.py ADDRESS calls COUNT
    rates.py ADDRESS pay USERS EACH
    rates.py ADDRESS fetch QUEUE COUNT     (says "sent", waits; the later ones have the higher priority)

ADDRESS is the broker's and the results', API_SERVER the API's. Prints a line of JSON.
"""
import json
import os
import sys
import time
import urllib.request

from celery import Celery, group

address, what, *words = sys.argv[1:]
app = Celery(broker=address, backend=address)


@app.task(name="rates.call_api")
def call_api(path):
    """In the bundle, as the others. En el bundle, como las otras."""


@app.task(name="rates.pay")
def pay(user, amount): ...


@app.task(name="rates.fetch")
def fetch(path): ...


def figures():
    with urllib.request.urlopen(f"http://{os.environ['API_SERVER']}/figures", timeout=30) as answer:
        return json.load(answer)


def refused():
    return sum(count for status, count in figures()["statuses"].items() if status != "200")


before, begun = refused(), time.monotonic()
if what == "calls":
    answers = group(call_api.s(f"/data/{number}") for number in range(int(words[0]))).apply_async(queue="api").get(timeout=60)
    told = {"calls": len(answers), "attempts": sum(answer["attempts"] for answer in answers)}
elif what == "pay":
    orders = [pay.s(f"user{user}", 100 + each) for each in range(int(words[1])) for user in range(int(words[0]))]
    paid = group(orders).apply_async(queue="api").get(timeout=60)
    told = {"payments": len(paid), "total": sum(paid), "together": figures()["most"]["payments"]}
else:
    queue = words[0]
    sent = [fetch.apply_async((f"/slow/{queue}/{number}",), queue=queue, priority=number) for number in range(int(words[1]))]
    print("sent", flush=True)
    workers = {result.get(timeout=60) for result in sent}
    told = {"fetched": len(sent), "workers": sorted(workers), "together": figures()["most"][queue]}
print(json.dumps({**told, "refused": refused() - before, "seconds": round(time.monotonic() - begun, 1)}), flush=True)
