"""Sends the workflow and shows how far all of it is. Envía el flujo y muestra cómo va, entero.

    workflow.py ADDRESS FOLDER THRESHOLD PACE SOURCE…

ADDRESS is the broker's and the results'; the best model is deployed if its accuracy is at least THRESHOLD; PACE slows the steps
down, in seconds. Prints the address of a page with live figures (/stats.json for programs), the workflow's id, a line of JSON for
each step that changes, and last the state of the whole. Exit status 0: done; 1: it failed or was cancelled.
"""
import json
import os
import sys
import time

import live
from celery import Celery, chain, group, uuid

MODELS = ["linear", "rf", "xgboost", "neural_net", "svm"]
address, folder, threshold, pace, *sources = sys.argv[1:]
app = Celery(broker=address, backend=address)
steps = {}  # step -> the ids of its tasks / los ids de sus tareas


def task(step, *arguments, **keywords):
    """One task, with an id of our own making, so that we know whom to ask. Con un id nuestro, para poder preguntar."""
    identifier = uuid()
    steps.setdefault(step, []).append(identifier)
    return app.signature(f"workflow.{step}", arguments, keywords, task_id=identifier)


pace = {"pace": float(pace)}
workflow = chain(
    task("begin", folder),
    group([task("prepare", os.path.basename(source).removesuffix(".csv"), source, **pace) for source in sources]),
    task("combine"),
    group([chain(task("train", model, **pace), task("evaluate")) for model in MODELS]),
    task("choose", float(threshold)))


def state(identifier):
    meta = app.backend.get_task_meta(identifier)
    if meta["status"] == "PROGRESS":
        return f"{meta['result']['done']}/{meta['result']['total']}"
    return meta["status"]


def figures():
    return {step: [state(identifier) for identifier in identifiers] for step, identifiers in steps.items()}


def tell(**what):
    print(json.dumps(what), flush=True)


live.show("workflow", lambda: json.dumps(figures()))
result = workflow.apply_async(link_error=app.signature("workflow.failed", (folder,)))
print(steps["begin"][0], flush=True)

shown = {}
while True:
    now = figures()
    for step, states in now.items():
        if any(one != "PENDING" for one in states) and states != shown.get(step):
            tell(step=step, states=states)
    shown = now
    ended = {one for states in now.values() for one in states} & {"FAILURE", "REVOKED"}
    if ended or now["choose"] == ["SUCCESS"]:
        break
    time.sleep(0.05)
if "REVOKED" in ended:
    tell(state="cancelled", step=next(step for step in now if "REVOKED" in now[step]))
elif ended:
    step = next(step for step in now if "FAILURE" in now[step])
    error = app.AsyncResult(steps[step][now[step].index("FAILURE")]).result
    tell(state="failed", step=step, reason=f"{type(error).__name__}: {error}")
else:
    tell(state="done", **result.get(timeout=10))
sys.exit(bool(ended))
