"""Headers and properties as JSON columns, as taskhost's FieldJSON.swift writes and reads them.

What JSON has no word for is an object with one key: `{"$bytes": base64}`, `{"$timestamp": "seconds"}`. A table that happens
to look like one of these is wrapped as `{"$table": {…}}`.
"""
import base64
import calendar
import json
from datetime import datetime, timezone

from taskhost_client.errors import BrokerRefused

# AMQP's properties of a message; taskhost knows no others. The value says what taskhost reads there.
PROPERTIES = {
    "content_type": str, "content_encoding": str, "correlation_id": str, "reply_to": str, "priority": int,
    "delivery_mode": int, "expiration": str, "message_id": str, "timestamp": str, "type": str, "user_id": str,
    "app_id": str,
}


def properties_text(properties):
    """JSON text of those that AMQP has; the others are not sent over AMQP, either."""
    known = ((name, kind(properties[name])) for name, kind in PROPERTIES.items() if properties.get(name) is not None)
    return text({name: _whole(value) if isinstance(value, str) else value for name, value in known})


def headers_text(headers):
    """JSON text of a table of headers. Raises `BrokerRefused` for values that AMQP's tables cannot hold."""
    return text({_whole(str(name)): _encoded(value, name) for name, value in headers.items()})


def parse_properties(column):
    return json.loads(column)


def parse_headers(column):
    return {name: _decoded(value) for name, value in json.loads(column).items()}


def text(value):
    """As readable as taskhost's own."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise BrokerRefused(f"A header or property cannot be written: {error}") from error


def _whole(value):
    """Half a surrogate pair, which Python allows in text and nobody else, becomes the replacement character."""
    try:
        value.encode()
        return value
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _encoded(value, name):
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, int) and not -2**63 <= value < 2**63:
        raise BrokerRefused(f"The header {name!r} holds a number of more than 64 bits. Send it as text")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):
        # As the AMQP library does: what names no zone is taken for UTC.
        moment = value.astimezone(timezone.utc) if value.tzinfo else value
        return {"$timestamp": str(calendar.timegm(moment.timetuple()))}
    if isinstance(value, (list, tuple)):
        return [_encoded(one, name) for one in value]
    if isinstance(value, dict):
        table = {_whole(str(key)): _encoded(one, name) for key, one in value.items()}
        return {"$table": table} if len(table) == 1 and next(iter(table)).startswith("$") else table
    raise BrokerRefused(f"The header {name!r} holds a {type(value).__name__}. Headers hold text, numbers, bytes, dates, "
                      "lists and dictionaries")


def _decoded(value):
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (mark, inner), = value.items()
        if mark == "$bytes":
            return base64.b64decode(inner)
        if mark == "$timestamp":
            return datetime.fromtimestamp(int(inner), timezone.utc)
        if mark == "$table":
            value = inner
    return {key: _decoded(one) for key, one in value.items()}
