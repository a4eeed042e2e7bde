#!/usr/bin/env bash
# Celery's database backend on PostgreSQL: `AsyncResult.date_done` is off by hours when the server's TimeZone is not UTC.
#
# Software: celery 5.7.0, SQLAlchemy 2.0.44, psycopg2-binary 2.9.11 (PyPI), CPython 3.11, PostgreSQL 15 (Debian 12).
# Behaviour: the backend hands an aware UTC time to a column `TIMESTAMP WITHOUT TIME ZONE`; PostgreSQL turns it into local
# time of the session's TimeZone (the server's, if the client names none) and drops the zone, and Celery reads it back as
# it is. The cleanup of expired results is not misled: there PostgreSQL compares in the same zone.
# Seen, of a result just stored that expires after an hour: 0 h old on a server in UTC, 10 h old in Pacific/Honolulu,
# -9 h old in Asia/Tokyo; `backend.cleanup()` keeps it on all three.
set -euo pipefail
folder=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap finish EXIT

python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    celery==5.7.0 SQLAlchemy==2.0.44 psycopg2-binary==2.9.11

programs=$(dirname "$(ls /usr/lib/postgresql/15/bin/initdb)")
# The server refuses to be root's.
as=()
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
mkdir "$folder/server"
chmod 755 "$folder"
[ "$(id -u)" != 0 ] || chown nobody:nogroup "$folder/server"
(cd "$folder/server" && "${as[@]}" "$programs/initdb" -D data -U postgres -A trust --no-sync >/dev/null)

cat >"$folder/look.py" <<'PYTHON'
import datetime
import os
import uuid
from celery import Celery

app = Celery("app", backend=os.environ["FINDING_BACKEND"])
app.conf.result_expires = 3600
task_id = str(uuid.uuid4())
app.backend.store_result(task_id, 3, "SUCCESS")
done = app.AsyncResult(task_id).date_done
if done.tzinfo is None:
    done = done.replace(tzinfo=datetime.timezone.utc)
hours = round((datetime.datetime.now(datetime.timezone.utc) - done).total_seconds() / 3600)
app.backend.cleanup()
print(f"{hours} h old, {'kept' if app.AsyncResult(task_id).state == 'SUCCESS' else 'deleted'}")
PYTHON

seen=""
for zone in UTC Pacific/Honolulu Asia/Tokyo; do
    port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    (cd "$folder/server" && exec "${as[@]}" "$programs/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c timezone="$zone" >"log-${zone//\//-}" 2>&1) &
    pids+=($!)
    for _ in $(seq 100); do
        "$programs/pg_isready" -q -h 127.0.0.1 -p "$port" && break
        sleep 0.1
    done
    line="$zone: $(FINDING_BACKEND=db+postgresql+psycopg2://postgres@127.0.0.1:$port/postgres "$python" "$folder/look.py")"
    echo "$line"
    seen+="$line;"
    kill -INT "${pids[-1]}"
    wait "${pids[-1]}" || true
    unset 'pids[-1]'
done
expected="UTC: 0 h old, kept;Pacific/Honolulu: 10 h old, kept;Asia/Tokyo: -9 h old, kept;"
if [ "$seen" != "$expected" ]; then
    echo "this has changed; it was: $expected"
    exit 1
fi
