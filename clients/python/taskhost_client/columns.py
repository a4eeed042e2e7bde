"""A kombu message (`prepare_message`) as columns, alike in all our brokers' tables."""
from datetime import datetime, timezone

from taskhost_client import fields
from taskhost_client.errors import BrokerRefused

# Where a message stands.
READY, DELAYED = 0, 1

# A task that is due later than this is not handed out before; half of it is left for a worker to wait out exactly. Both are
# what taskhost's workers do with those they get too early.
HOLD_SECONDS = 60.0


def body(message):
    text = message["body"]
    return text.encode() if isinstance(text, str) else bytes(text)


def properties(message):
    return fields.properties_text({**message["properties"], "content_type": message["content-type"],
                                   "content_encoding": message["content-encoding"]})


def priority(message):
    number = message["properties"].get("priority") or 0
    if not isinstance(number, int) or not 0 <= number <= 255:
        raise BrokerRefused(f"The priority {number!r} is no whole number between 0 and 255")
    return int(number)


def delay_seconds(message):
    """How long the broker keeps the message back, by its header `eta`, an ISO time. What is no time is left to the worker,
    which says so."""
    eta = message["headers"].get("eta")
    try:
        due = datetime.fromisoformat(eta) if isinstance(eta, str) and eta else None
    except ValueError:
        return 0.0
    if due is None:
        return 0.0
    if due.tzinfo is None:
        due = due.replace(tzinfo=timezone.utc)
    seconds = (due - datetime.now(timezone.utc)).total_seconds()
    return seconds - HOLD_SECONDS / 2 if seconds > HOLD_SECONDS else 0.0
