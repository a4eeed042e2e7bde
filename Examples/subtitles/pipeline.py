"""Sends the pipeline for a folder with input.wav and follows it. Envía el flujo y lo sigue.

    pipeline.py ADDRESS FOLDER [PACE]

ADDRESS is the broker's and the results'. Prints the workflow's id, then a line of JSON for each change, the last with the state
of the whole. Exit status 0: done; 1: it failed or was cancelled. PACE slows the first stage down, in seconds for each tenth
of a second of sound.
"""
import json
import sys

from celery import Celery, chain
from celery.exceptions import TaskRevokedError

address, folder = sys.argv[1:3]
pace = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
app = Celery(broker=address, backend=address)

result = chain(
    app.signature("subtitles.extract", (folder,), {"pace": pace}),
    app.signature("subtitles.transcribe"), app.signature("subtitles.subtitle"), app.signature("subtitles.compress"))()
stages = [result]
while stages[0].parent:
    stages.insert(0, stages[0].parent)
print(stages[0].id, flush=True)


def tell(**what):
    print(json.dumps(what), flush=True)


# A stage after the other: each tells how far it is, the first that fails ends it. Una etapa tras otra.
for number, stage in enumerate(stages, 1):
    try:
        stage.get(timeout=600, follow_parents=False,
                  on_message=lambda meta: meta["status"] == "PROGRESS" and tell(**meta["result"]))
    except TaskRevokedError:
        tell(state="cancelled", stage=number)
        sys.exit(1)
    except Exception as error:
        tell(state="failed", stage=number, reason=f"{type(error).__name__}: {error}")
        sys.exit(1)
tell(state="done", folder=stages[-1].result)
