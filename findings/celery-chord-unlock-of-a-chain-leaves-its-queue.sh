#!/usr/bin/env bash
# Celery without a native chord join: the body's queue is used for `celery.chord_unlock` only if the body is one task.
#
# Software: celery 5.7.0, SQLAlchemy 2.0.44 (PyPI), CPython 3.11.
# Behaviour: on a result backend that joins no chords (databases, MongoDB, files …) the client sends `celery.chord_unlock`. It
# goes to the queue that the body's own options name. A body that is a chain has no options of its own, so its unlock goes to
# the default queue, whatever its tasks name: workers that serve only the named queue run the whole header, and the chord never
# goes on. A body of one task with the same `queue` goes on there.
# Seen, of two chords all of whose tasks name queue "orders": the unlock of the first (body: one task) goes to "orders", that
# of the second (body: a chain of two) to "celery".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install celery==5.7.0 SQLAlchemy==2.0.44

cat >"$folder/look.py" <<'PYTHON'
import sys
from celery import Celery, chord
from celery.signals import before_task_publish

app = Celery("app", broker="memory://", backend=f"db+sqlite:///{sys.argv[1]}/results.db")


@app.task
def one(*given):
    return 1


@before_task_publish.connect
def tell(sender=None, routing_key=None, **rest):
    if sender == "celery.chord_unlock":
        print(f"{kind}: {routing_key}")


step = one.s().set(queue="orders")
for kind, body in [("one task", step), ("chain", step | step)]:
    chord([one.si().set(queue="orders")] * 2, body).apply_async()
PYTHON
seen=$("$python" "$folder/look.py" "$folder" | paste -sd ';')
echo "$seen"
expected="one task: orders;chain: celery"
if [ "$seen" != "$expected" ]; then
    echo "this has changed; it was: $expected"
    exit 1
fi
