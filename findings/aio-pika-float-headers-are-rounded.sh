#!/usr/bin/env bash
# aio-pika writes a float in a message's headers as a 4-byte float: a header with time.time() arrives up to a minute off.
#
# Software: aio-pika 10.2.1, aiormq 7.2.4, pamqp 4.0.1, amqp 5.4.2 (PyPI), CPython 3.11.
# Behaviour: pamqp, which writes the frames, has AMQP's field types `f` (4 bytes) and `d` (8 bytes), and takes `f` for every
# Python float. py-amqp (kombu, Celery) takes `d`. No error is raised. Of a time in seconds since 1970 a 4-byte float
# keeps steps of 128 s, of an amount of money seven digits.
# Seen: sent_at: 1764588047.25 becomes 1764588032.0; price: 16777217.5 becomes 16777218.0; py-amqp keeps both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    aio-pika==10.2.1 aiormq==7.2.4 pamqp==4.0.1 amqp==5.4.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import aio_pika
from amqp.serialization import dumps, loads
from pamqp import frame, header

SENT = {"sent_at": 1764588047.25, "price": 16777217.5}
# The frame that a publish writes, and what any reader of it finds.
message = aio_pika.Message(b"{}", headers=SENT)
written = frame.marshal(header.ContentHeader(body_size=2, properties=message.properties), 1)
read = frame.unmarshal(written)[2].properties.headers
other = loads("F", dumps("F", [SENT]), 0)[0][0]
for name in SENT:
    print(f"{name}: {SENT[name]} becomes {read[name]}; by py-amqp {other[name]}")
sys.exit(not (read == {"sent_at": 1764588032.0, "price": 16777218.0} and other == SENT))
PYTHON
