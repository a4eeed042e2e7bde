"""Messages in the file: every statement of this package that touches the table `message`."""
from datetime import datetime, timezone

from taskhost_file import clock, fields
from taskhost_file.errors import FileRefused

READY, DELAYED = 0, 1

# A task that is due later than this is not handed out before; half of it is left for a worker to wait out exactly. Both are
# what taskhost's workers do with those they get too early.
HOLD_SECONDS = 60.0


def new(queue, message):
    """`insert` of a kombu message (`prepare_message`), encoded before anybody waits for the lock."""
    body = message["body"]
    if isinstance(body, str):
        body = body.encode()
    properties = {**message["properties"], "content_type": message["content-type"],
                  "content_encoding": message["content-encoding"]}
    priority = properties.get("priority") or 0
    if not 0 <= priority <= 255:
        raise FileRefused(f"The priority {priority} is not between 0 and 255")
    delay = _delay_seconds(message["headers"].get("eta"))
    row = (queue, DELAYED if delay > 0 else READY, priority, clock.after(delay), fields.properties_text(properties),
           fields.headers_text(message["headers"]), bytes(body))

    def insert(db):
        db.execute("INSERT INTO message(queue, state, priority, visible_at, properties, headers, body) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    return insert


def _delay_seconds(eta):
    """How long the file keeps the message back: an ISO time, as the header `eta` has it. What is no time is left to the
    worker, which says so."""
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


def waiting(db, queue):
    """How many are ready or delayed."""
    return db.execute("SELECT count(*) FROM message WHERE queue = ? AND state IN (0, 1)", (queue,)).fetchone()[0]


def purge(db, queue):
    """Throws away what waits, and says how many that were."""
    return db.execute("DELETE FROM message WHERE queue = ? AND state IN (0, 1)", (queue,)).rowcount
