"""Sends what succeeds, what fails, and what has to wait; prints what became of each. Envía y dice en qué terminó cada una.

    client.py ADDRESS URL FOLDER

ADDRESS is the broker's and the results', URL the service's; FOLDER has the orders, and the file `down` that makes the service
busy. Of what failed for good, OPERATOR gets a mail.
"""
import glob
import json
import os
import sys

from celery import Celery
from celery.exceptions import WorkerLostError
from problems import InvalidOrder, NotFound

OPERATOR = "busy-operator@example.com"
address, url, folder = sys.argv[1:]
app = Celery(broker=address, backend=address)
# Positional, after what the host tells an errback: request, exception, traceback. Después de lo que agrega el host.
alert = app.signature("retries.alert", (OPERATOR,))


def send(task, *arguments, **more):
    return app.send_task(f"retries.{task}", arguments, more, link_error=[alert])


def outcome(result):
    try:
        return result.get(timeout=120)
    except (NotFound, InvalidOrder, WorkerLostError) as error:
        return f"{type(error).__name__}: {error}"


def tell(what, *values):
    print(json.dumps({what: values[0] if len(values) == 1 else values}), flush=True)


# A price while all is well, to fall back upon later. Un precio, para cuando haga falta el plan B.
tell("price", outcome(send("price", f"{url}/price", folder)))

# Side by side: two downloads, and orders of which one is invalid and one crashes its process. En paralelo.
downloads = {name: send("download", f"{url}/{name}") for name in ("flaky", "missing")}
orders = {os.path.basename(path): send("import_order", path) for path in sorted(glob.glob(f"{folder}/orders/*"))}
for name, result in {**downloads, **orders}.items():
    tell(name, outcome(result))
with open(os.path.join(folder, "orders.json"), "w") as file:
    json.dump({name: result.id for name, result in orders.items()}, file)

# The service goes down: one has no patience, the others wait until it is up again. El servicio se cae un rato.
down = os.path.join(folder, "down")
open(down, "w").close()
waiting = [send("price", f"{url}/price", folder) for _ in range(20)]
tell("impatient", outcome(send("price", f"{url}/price", folder, patience=1)))
os.unlink(down)
prices = [outcome(result) for result in waiting]
tell("patient", len(prices), prices[0])
assert all(price == prices[0] for price in prices), prices
