"""The same steps as a Celery app. Los mismos pasos como app de Celery.

    CELERY_BROKER_URL=redis://… CELERY_RESULT_BACKEND=redis://… taskhost -A tasks worker     # or celery -A tasks worker
"""
import contextlib
import json
import os
import random
import shutil
import time
import urllib.error
import urllib.request

from celery import Celery
from celery.utils.log import get_task_logger
from models import MODELS, ROUNDS, accuracy

app = Celery("workflow")
app.conf.worker_concurrency = 5
log = get_task_logger(__name__)


@contextlib.contextmanager
def measured(folder, step, **figures):
    """What a step took and came to: a line in metrics.jsonl. Lo que tardó un paso y qué resultó."""
    begun = time.monotonic()
    yield figures
    line = {"step": step, "seconds": time.monotonic() - begun, **figures}
    # One write at the end of the file: lines of several processes do not mix. Las líneas no se mezclan.
    with open(os.path.join(folder, "metrics.jsonl"), "ab", buffering=0) as file:
        file.write(json.dumps(line).encode() + b"\n")


def read(path):
    """Points with a label, 1 or -1, of lines "x,y,label" with a label of 0 or 1. Puntos con una etiqueta."""
    with open(path) as file:
        rows = [line.split(",") for line in file.read().splitlines()]
    if not rows or any(len(row) != 3 or row[2] not in ("0", "1") for row in rows):
        raise ValueError(f"{path}: every line must be x,y,label with a label of 0 or 1")
    return [(float(x), float(y), 1 if label == "1" else -1) for x, y, label in rows]


def write(path, text):
    """All of it or nothing. Todo o nada."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


@app.task(name="workflow.begin", time_limit=60)
def begin(folder):
    """The first task, whose id all others have as root: by it the whole workflow is cancelled. / Con su id se cancela todo."""
    os.makedirs(folder, exist_ok=True)
    return folder


@app.task(name="workflow.prepare", time_limit=600, autoretry_for=(ConnectionError,), max_retries=5,
          default_retry_delay=0.2)
def prepare(folder, source, place, pace=0.0):
    """One source: a file, or an address on the web, which may be away for a while. Una fuente: un archivo o una dirección."""
    with measured(folder, f"prepare {source}") as figures:
        path = os.path.join(folder, f"{source}.csv")
        if place.startswith("http://"):
            write(path, fetch(place))
        else:
            shutil.copy(place, path)
        figures["samples"] = len(read(path))
        time.sleep(pace)
    return {"folder": folder, "path": path, "samples": figures["samples"]}


def fetch(place):
    try:
        with urllib.request.urlopen(place, timeout=30) as reply:
            return reply.read().decode()
    except urllib.error.HTTPError as error:
        kind = ConnectionError if error.code >= 500 else FileNotFoundError
        raise kind(f"{place}: status {error.code}") from None
    except urllib.error.URLError as error:
        raise ConnectionError(f"{place}: {error.reason}") from None


@app.task(name="workflow.combine", time_limit=60)
def combine(parts):
    """All sources, mixed: four fifths to learn from, the rest to be tested by. Cuatro quintos para aprender."""
    folder = parts[0]["folder"]
    with measured(folder, "combine") as figures:
        samples = [sample for part in parts for sample in read(part["path"])]
        random.Random(42).shuffle(samples)
        learnt = len(samples) * 4 // 5
        for name, some in (("train", samples[:learnt]), ("test", samples[learnt:])):
            write(os.path.join(folder, f"{name}.csv"), "".join(f"{x},{y},{int(label > 0)}\n" for x, y, label in some))
        figures["samples"] = len(samples)
    return folder


@app.task(name="workflow.train", bind=True, time_limit=600)
def train(self, folder, model, pace=0.0):
    with measured(folder, f"train {model}"):
        samples = read(os.path.join(folder, "train.csv"))
        learning = MODELS[model]()
        for number in range(ROUNDS):
            learning.improve(samples, number)
            self.update_state(state="PROGRESS", meta={"done": number + 1, "total": ROUNDS})
            time.sleep(pace)
        write(os.path.join(folder, f"{model}.model"), json.dumps(learning.numbers))
    return {"folder": folder, "model": model}


@app.task(name="workflow.evaluate", time_limit=60)
def evaluate(trained):
    folder, model = trained["folder"], trained["model"]
    with measured(folder, f"evaluate {model}") as figures:
        with open(os.path.join(folder, f"{model}.model")) as file:
            kept = MODELS[model](json.load(file))
        figures["accuracy"] = accuracy(kept, read(os.path.join(folder, "test.csv")))
    return {**trained, "accuracy": figures["accuracy"]}


@app.task(name="workflow.choose", bind=True, time_limit=60)
def choose(self, scores, threshold):
    """Where the workflow branches: what comes takes this task's place, and gives its result. / Aquí el flujo se bifurca."""
    best = max(scores, key=lambda score: score["accuracy"])
    with measured(best["folder"], "choose", model=best["model"]):
        pass
    raise self.replace((deploy if best["accuracy"] >= threshold else hold).s(best))


@app.task(name="workflow.deploy", bind=True, time_limit=60)
def deploy(self, best):
    """Into production: a link that changes from one model to the next at once. Un enlace que cambia de una vez."""
    with measured(best["folder"], "deploy", model=best["model"]):
        link = os.path.join(os.path.dirname(best["folder"]), "production")
        os.symlink(os.path.join(best["folder"], f"{best['model']}.model"), f"{link}.{self.request.id}")
        os.rename(f"{link}.{self.request.id}", link)
    return {"outcome": "deployed", "model": best["model"], "accuracy": best["accuracy"]}


@app.task(name="workflow.hold", time_limit=60)
def hold(best):
    log.warning("%s is the best, with %s: not good enough", best["model"], best["accuracy"])
    with measured(best["folder"], "hold", model=best["model"]):
        pass
    return {"outcome": "held", "model": best["model"], "accuracy": best["accuracy"]}


@app.task(name="workflow.failed", time_limit=60)
def failed(request, error, traceback, folder):
    """The workflow's errback: notes which task it failed with. El aviso de error de todo el flujo."""
    with measured(folder, "failed", task=request.id, reason=repr(error)):
        pass
