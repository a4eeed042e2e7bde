#!/usr/bin/env bash
# A Celery worker with rpc:// results blames the wrong task when a result is larger than RabbitMQ takes: the task that
# returned it is logged as succeeded, and the next task of that child fails with the broker's refusal.
#
# Software: celery 5.7.0, kombu 5.7.0, amqp 5.4.2 (PyPI), CPython 3.11, rabbitmq-server 3.10.8 (Debian 12) with
# `max_message_size = 1048576` in rabbitmq.conf (16 MiB is the default from RabbitMQ 4 on).
# Behaviour: the broker closes the channel (406) when it reads the result. The child has sent it without waiting for an
# answer, and reads the refusal only when it publishes something again: the result of the next task.
# Seen: large: TimeoutError; next: PreconditionFailed that names the large result's size; after: 3
set -euo pipefail
folder=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap finish EXIT

python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install celery==5.7.0 kombu==5.7.0 amqp==5.4.2

# A node of this script's own: loopback, free ports, everything in the temporary folder.
read -r port epmd distribution < <("$python" -c '
import socket
sockets = [socket.socket() for _ in range(3)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))')
printf 'listeners.tcp.1 = 127.0.0.1:%s\nmax_message_size = 1048576\ndisk_free_limit.absolute = 1MB\n' "$port" \
    >"$folder/rabbitmq.conf"
: >"$folder/env.conf"
echo '[].' >"$folder/plugins"
export HOME=$folder ERL_EPMD_PORT=$epmd ERL_EPMD_ADDRESS=127.0.0.1
epmd -port "$epmd" -address 127.0.0.1 >"$folder/epmd.log" 2>&1 &
pids+=($!)
RABBITMQ_ALLOW_INPUT=1 RABBITMQ_CONF_ENV_FILE=$folder/env.conf RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf \
    RABBITMQ_DIST_PORT=$distribution RABBITMQ_ENABLED_PLUGINS_FILE=$folder/plugins \
    RABBITMQ_GENERATED_CONFIG_DIR=$folder/generated RABBITMQ_LOG_BASE=$folder/log RABBITMQ_MNESIA_BASE=$folder/mnesia \
    RABBITMQ_NODENAME=finding-$port@localhost RABBITMQ_PID_FILE=$folder/pid \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}" \
    /usr/lib/rabbitmq/bin/rabbitmq-server >"$folder/node.log" 2>&1 &
pids+=($!)

cat >"$folder/app.py" <<'PYTHON'
import os
from celery import Celery
app = Celery("app", broker=os.environ["FINDING_BROKER"], backend="rpc://")

@app.task
def text(length):
    return "x" * length

@app.task
def add(x, y):
    return x + y
PYTHON
cat >"$folder/client.py" <<'PYTHON'
from app import add, text
for name, signature in (("large", text.s(2_000_000)), ("next", add.s(1, 2)), ("after", add.s(1, 2))):
    try:
        print(f"{name}: {signature.delay().get(timeout=20)}", flush=True)
    except Exception as error:
        said = "names the large result" if "2000" in repr(error) else ""
        print(f"{name}: {type(error).__name__} {said}".rstrip(), flush=True)
PYTHON
export FINDING_BROKER=amqp://guest:guest@127.0.0.1:$port// PYTHONPATH=$folder
cd "$folder"
for _ in $(seq 300); do
    "$python" -c 'import app; app.app.connection().ensure_connection(max_retries=1)' 2>/dev/null && break
    sleep 0.2
done
"$folder/venv/bin/celery" -A app worker -P prefork -c 1 -l INFO >"$folder/worker.log" 2>&1 &
pids+=($!)
"$python" -c '
import app, time
while not app.app.control.ping(timeout=1): time.sleep(0.2)'
seen=$("$python" client.py)
echo "$seen"
echo "the worker's log of the first task: $(grep -oE 'app.text\[[^]]*\] succeeded' "$folder/worker.log" | sed 's/\[.*\]//')"
[ "$seen" = "large: TimeoutError
next: PreconditionFailed names the large result
after: 3" ]
