"""Has reports made now and waits for them. Pide informes y los espera.

    reports.py ADDRESS KIND…

ADDRESS is the broker's and the results'. Prints a line of JSON for each. Exit status 1: one has failed.
"""
import json
import sys

from celery import Celery

address, *kinds = sys.argv[1:]
app = Celery(broker=address, backend=address)


@app.task(name="reports.make")
def make(kind, day=None):
    """In the bundle. Está en el bundle."""


status = 0
for kind, result in [(kind, make.delay(kind)) for kind in kinds]:
    try:
        told = {"folder": result.get(timeout=60)}
    except Exception as error:
        told = {"failed": f"{type(error).__name__}: {error}"}
        status = 1
    print(json.dumps({"report": kind, **told}), flush=True)
sys.exit(status)
