#!/usr/bin/env bash
# celery and redis-py installed side by side, as many projects pin them, can no longer send to Redis: an import fails.
#
# Software: celery 5.7.0, kombu 5.7.0, redis-py 8.1.0 (PyPI), CPython 3.11.
# Behaviour: kombu's Redis transport imports `packaging`. Only the extra `kombu[redis]` declares it; neither celery nor
# redis-py brings it in. `celery` and `redis` in one list of requirements is enough for Python to import both, and not
# enough to send: the first message ends with ModuleNotFoundError, before any connection is tried. The extra pins one
# exact version of `packaging` (==26.3), so whoever takes it must have that version everywhere in the environment.
# Seen: send: ModuleNotFoundError: No module named 'packaging'
#       celery[redis] asks for: packaging==26.3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install celery==5.7.0 kombu==5.7.0 redis==8.1.0
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import requires
from celery import Celery

# No server listens there: the error comes before one is looked for.
app = Celery(broker="redis://127.0.0.1:1/0")
try:
    app.send_task("reports.make", (1,), retry=False)
except Exception as error:
    print(f"send: {type(error).__name__}: {error}")
for line in requires("kombu"):
    if line.startswith("packaging"):
        print("celery[redis] asks for:", line.split(";")[0])
PYTHON
)
echo "$seen"
[ "$seen" = "send: ModuleNotFoundError: No module named 'packaging'
celery[redis] asks for: packaging==26.3" ]
