#!/usr/bin/env bash
# Celery's memcached backend: a header task whose message is delivered twice counts twice, and the chord fails.
#
# Software: celery 5.7.0, pymemcache 4.0.0 (PyPI), CPython 3.11, memcached 1.6.18 (Debian 12).
# Behaviour: `on_chord_part_return` increments one number for each part that is reported. A message that comes again (late
# acknowledgement, a lost connection) is reported again; the number then reaches the size of the header before all
# parts are there, the join waits for `result_chord_join_timeout` (3 s), and the body gets a ChordError.
# Seen: of two parts the first is reported twice; the body is FAILURE, ChordError("TimeoutError('Operation timed out
# (3.0)')").
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
"$folder/venv/bin/python" - "$port" 2>/dev/null <<'PYTHON'
import sys
from celery import Celery, chord
from celery.app.task import Context

app = Celery(broker="memory://", backend=f"cache+memcached://127.0.0.1:{sys.argv[1]}/")


@app.task(name="one")
def one(x):
    return x


@app.task(name="all")
def all_of_them(x):
    return sum(x)


body = all_of_them.s()
result = chord([one.s(1), one.s(2)], body)()
group = result.parent


def report(member):
    request = Context(id=member.id, group=group.id, chord=body.clone(task_id=result.id), task="one", args=[], kwargs={},
                      delivery_info={}, errbacks=None)
    app.backend.mark_as_done(member.id, 1, request)


report(group.results[0])
report(group.results[0])
print("after the first part, reported twice:", result.state, repr(result.result))
PYTHON
