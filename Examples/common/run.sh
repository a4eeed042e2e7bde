# What the commands `run` of the examples share; read by them, in their own folder.
# Builds what is missing, makes the working folder, and ends at the end whatever was started here.

# prepare FOLDER: sets folder, address (the broker's and the results') and PYTHON.
prepare() {
    folder=$(realpath -m "$1")
    export DIST=${DIST:-$(realpath -m ../../.build/dist)} OUT=${OUT:-build/plugins}
    make --silent all
    if [ -z "${PYTHON:-}" ]; then
        PYTHON=build/venv/bin/python
        [ -x "$PYTHON" ] || { python3 -m venv build/venv && "$PYTHON" -m pip install --quiet ../../clients/python; }
    fi
    rm -rf "$folder"
    mkdir -p -m 700 "$folder"
    address=sqlite://$folder/queue.db
    started=()
    trap stop EXIT
}

# serve NAME COMMAND…: starts a server that prints its port first, and waits for that; sets port.
serve() {
    "${@:2}" >"$folder/$1.port" &
    started+=($!)
    until [ -s "$folder/$1.port" ]; do kill -0 $!; sleep 0.1; done
    port=$(cat "$folder/$1.port")
}

# worker NAME OPTION…: starts a worker and waits until it takes tasks; its log is NAME.log.
worker() {
    : >"$folder/$1.log"
    "$DIST/bin/taskhost" worker -b "$address" --plugins "$OUT" -n "$1@%h" --log-format json "${@:2}" 2>"$folder/$1.log" &
    started+=($!)
    until grep -q '"event":"ready"' "$folder/$1.log"; do kill -0 $!; sleep 0.1; done
}

# The last first, each in good order.
stop() {
    local number
    for ((number = ${#started[@]} - 1; number >= 0; number--)); do
        kill "${started[number]}" 2>/dev/null && wait "${started[number]}" 2>/dev/null || true
    done
}
