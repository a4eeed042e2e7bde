#!/usr/bin/env bash
# Celery's MongoDB backend: `GroupResult.restore` gives a list of results instead of a GroupResult.
#
# Software: celery 5.7.0, pymongo 4.20.1, nx-27017 0.8.1 (PyPI; a server that speaks MongoDB's protocol), CPython 3.11.
# Behaviour: `_restore_group` puts a list of AsyncResult where other backends put the GroupResult, and `restore` hands it on.
# Seen: "list" here, "GroupResult" with Redis, memcached and PostgreSQL.
set -euo pipefail
folder=$(mktemp -d)
finish() {
    kill "$server" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap finish EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install celery==5.7.0 pymongo==4.20.1 nx-27017==0.8.1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/nx-27017" -p "$port" --db "$folder/nx.db" --log-file "$folder/log" --pid-file "$folder/pid" >/dev/null 2>&1 &
server=$!
# The driver waits for the server.
"$folder/venv/bin/python" - "$port" <<'PYTHON'
import sys
from celery import Celery
from celery.result import GroupResult

app = Celery(backend=f"mongodb://127.0.0.1:{sys.argv[1]}/")
GroupResult("g", [app.AsyncResult("a")], app=app).save()
print(type(GroupResult.restore("g", app=app)).__name__)
PYTHON
