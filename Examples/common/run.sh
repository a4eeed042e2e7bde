# What the commands `run` of the examples share; read by them, in their own folder.
# Builds what is missing, makes the working folder, and ends at the end whatever was started here.

# run --python …: the tasks of python/, a Celery app, in place of the bundle's. / Las tareas de python/, una app de Celery.
language=native
if [ "${1:-}" = --python ]; then
    language=python
    shift
    [ -d python ] || { echo "error: this example has no python/; run it without --python" >&2; exit 64; }
fi

# prepare FOLDER [PACKAGE…]: sets folder, address (the broker's and the results') and PYTHON, which finds what is in ../common.
prepare() {
    folder=$(realpath -m "$1")
    export DIST=${DIST:-$(realpath -m ../../.build/dist)} OUT=${OUT:-build/plugins}
    # `run` has gone into its own folder: whoever wrote .build/dist meant the one he was in. Relativo a donde se escribió.
    case $DIST in /*) ;; *) DIST=$OLDPWD/$DIST ;; esac
    [ "$language" = python ] || make --silent all
    if [ -z "${PYTHON:-}" ]; then
        PYTHON=$PWD/build/venv/bin/python
        [ -x "$PYTHON" ] || { python3 -m venv build/venv && "$PYTHON" -m pip install --quiet ../../clients/python "${@:2}"; }
    fi
    export PYTHONPATH=$PWD/../common${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1
    rm -rf "$folder"
    mkdir -p -m 700 "$folder"
    reachable "sqlite://$folder/queue.db"
    hosted=(--plugins "$OUT")
    # As its own taskhost.toml is there, the app runs in its folder. En su carpeta, donde está su taskhost.toml.
    [ "$language" = native ] || hosted=(-A tasks --workdir python --python "$PYTHON")
    started=()
    trap stop EXIT
}

# reachable ADDRESS: where the broker and the results are; the Celery app is told by its own variables.
reachable() {
    address=$1
    [ "$language" = native ] || export CELERY_BROKER_URL=$1 CELERY_RESULT_BACKEND=$1
}

# serve NAME COMMAND…: starts a server that prints its port first, and waits for that; sets port.
serve() {
    "${@:2}" >"$folder/$1.port" &
    started+=($!)
    until [ -s "$folder/$1.port" ]; do kill -0 $!; sleep 0.1; done
    port=$(cat "$folder/$1.port")
}

# redis: starts a Redis that keeps nothing, in place of the embedded broker; sets port and address. En lugar del broker incluido.
redis() {
    command -v redis-server >/dev/null || { echo "error: no redis-server here: apt-get install redis-server" >&2; exit 69; }
    port=$("$PYTHON" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    redis-server --bind 127.0.0.1 --port "$port" --save "" --dir "$folder" >"$folder/redis.log" &
    started+=($!)
    seen "Ready to accept" "$folder/redis.log"
    reachable "redis://127.0.0.1:$port/0"
}

# worker NAME OPTION…: starts a worker and waits until it takes tasks; its log is NAME.log.
worker() {
    : >"$folder/$1.log"
    "$DIST/bin/taskhost" worker "${hosted[@]}" -b "$address" -n "$1@%h" --log-format json "${@:2}" 2>"$folder/$1.log" &
    started+=($!)
    until grep -qs '"event":"ready"' "$folder/$1.log"; do kill -0 $!; sleep 0.1; done
}

# seen PATTERN FILE: waits, for a minute at most, until there is a line like that. / Espera una línea así, hasta un minuto.
seen() {
    local times=600
    until grep -qs -- "$1" "$2"; do
        ((times-- > 0)) || { echo "no line with $1 in $2" >&2; return 1; }
        sleep 0.1
    done
}

# The last first, each in good order.
stop() {
    local number
    for ((number = ${#started[@]} - 1; number >= 0; number--)); do
        kill "${started[number]}" 2>/dev/null && wait "${started[number]}" 2>/dev/null || true
    done
}
