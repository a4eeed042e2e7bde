"""Orders and replies of remote control, by NOTIFY; the same form as in taskhost's Letter.swift.

A letter is a line each: a number, its channel (base64), properties, headers, body (base64). NOTIFY carries less than 8,000
bytes: what is longer lies in the table `taskhost.broadcast` for a minute.
"""
import base64

from taskhost_client import columns, fields
from taskhost_client.postgresql.address import channel as listened

LONGEST = 7900
WHOLE, STORED = "=", "#"

SEND = "SELECT pg_notify(%s, %s)"
STORE = """
    WITH old AS (DELETE FROM taskhost.broadcast WHERE sent < clock_timestamp() - interval '1 minute'),
    made AS (INSERT INTO taskhost.broadcast(letter) VALUES (%s) RETURNING id)
    SELECT pg_notify(%s, '#' || id) FROM made
    """


def send(link, channel, message):
    text = "\n".join(["0", _encoded(channel.encode()), columns.properties(message), fields.headers_text(message["headers"]),
                      _encoded(columns.body(message))])
    if len(text.encode()) > LONGEST:
        link.rows(STORE, (text, listened(channel)))
    else:
        link.rows(SEND, (listened(channel), WHOLE + text))


def read(link, payload):
    """(channel, properties, headers, body), the columns as they are; None: it is something else, or gone."""
    text = payload[1:]
    if payload.startswith(STORED) and text.isdigit():
        found = link.rows("SELECT letter FROM taskhost.broadcast WHERE id = %s", (int(text),))
        text = found[0][0] if found else ""
    elif not payload.startswith(WHOLE):
        return None
    lines = text.split("\n", 4)
    if len(lines) != 5:
        return None
    return base64.b64decode(lines[1]).decode(), lines[2], lines[3], base64.b64decode(lines[4])


def _encoded(data):
    return base64.b64encode(data).decode()
