#!/usr/bin/env bash
# Celery with msgpack: a dict with numbers as keys is sent without an error, and the worker acknowledges and drops it.
#
# Software: celery 5.7.0, kombu 5.7.0, msgpack 1.2.4 (PyPI), CPython 3.11.
# Behaviour: msgpack writes any key, and reads only text and bytes as keys unless `strict_map_key=False`, which kombu does
# not give. The client gets an id; the worker logs "Can't decode message body", acknowledges the message, and stores no
# state, so that a client waits for ever. As a result it is stored as SUCCESS, and `get()` raises DecodeError each time.
# With JSON the same dict arrives, with its keys as text.
# Seen: as an argument: PENDING, dropped by the worker: True; as a result: DecodeError; by JSON: {'1': 'one'}
set -euo pipefail
folder=$(mktemp -d)
finish() {
    kill "$worker" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap finish EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install celery==5.7.0 kombu==5.7.0 msgpack==1.2.4
mkdir "$folder"/{in,results}
cat >"$folder/app.py" <<PYTHON
from celery import Celery

# A folder takes the place of a server.
app = Celery("app", broker="filesystem://", backend="file://$folder/results")
app.conf.update(
    broker_transport_options={"data_folder_in": "$folder/in", "data_folder_out": "$folder/in",
                              "control_folder": "$folder/control"},
    accept_content=["json", "msgpack"], task_serializer="msgpack", result_serializer="msgpack")


@app.task
def size(mapping):
    return len(mapping)


@app.task
def names():
    return {1: "one"}


@app.task(serializer="json")
def same(mapping):
    return mapping
PYTHON
cd "$folder"
"$folder/venv/bin/celery" -A app worker -c 1 -l INFO --without-mingle --without-gossip >"$folder/log" 2>&1 &
worker=$!
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from app import names, same, size

sent = size.delay({1: "one"})
try:
    got = names.delay().get(timeout=30)  # the worker takes one message after the other: it has seen the first by now
except Exception as error:
    got = type(error).__name__
by_json = same.delay({1: "one"}).get(timeout=30)
with open("log", errors="replace") as log:
    dropped = "decode message body" in log.read()
print(f"as an argument: {sent.state}, dropped by the worker: {dropped}; as a result: {got}; by JSON: {by_json}")
sys.exit((sent.state, dropped, got, by_json) != ("PENDING", True, "DecodeError", {"1": "one"}))
PYTHON
