#!/usr/bin/env bash
# Celery's memcached backend: with `result_expires` above 30 days every result is gone as soon as it is stored.
#
# Software: celery 5.7.0, pymemcache 4.0.0 (PyPI), CPython 3.11, memcached 1.6.18 (Debian 12).
# Behaviour: the backend sends `result_expires` as the expiry of `set`; memcached takes a number above 30 days (2592000) for
# seconds since 1970, which is in the past. The backend warns of `result_chord_expires` above 30 days only.
# Seen: with 29 days the state is SUCCESS, with 31 days PENDING.
set -euo pipefail
folder=$(mktemp -d)
finish() {
    kill "$server" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap finish EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as=()
if [ "$(id -u)" = 0 ]; then as=(-u nobody); fi
memcached "${as[@]}" -l 127.0.0.1 -p "$port" -U 0 &
server=$!

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install celery==5.7.0 pymemcache==4.0.0
"$folder/venv/bin/python" - "$port" <<'PYTHON'
import sys
from celery import Celery

for days in (29, 31):
    app = Celery(backend=f"cache+memcached://127.0.0.1:{sys.argv[1]}/", set_as_current=False)
    app.conf.result_expires = days * 86400
    app.backend.store_result(f"task-{days}", 5, "SUCCESS")
    print(days, "days:", app.AsyncResult(f"task-{days}").state)
PYTHON
