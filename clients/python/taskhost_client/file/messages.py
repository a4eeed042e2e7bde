"""Messages in the file: every statement of this package that touches the table `message`."""
from taskhost_client import columns, fields
from taskhost_client.file import clock


def new(queue, message):
    """`insert` of a kombu message (`prepare_message`), encoded before anybody waits for the lock."""
    delay = columns.delay_seconds(message)
    row = (queue, columns.DELAYED if delay > 0 else columns.READY, columns.priority(message), clock.after(delay),
           columns.properties(message), fields.headers_text(message["headers"]), columns.body(message))

    def insert(db):
        db.execute("INSERT INTO message(queue, state, priority, visible_at, properties, headers, body) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    return insert


def waiting(db, queue):
    """How many are ready or delayed."""
    return db.execute("SELECT count(*) FROM message WHERE queue = ? AND state IN (0, 1)", (queue,)).fetchone()[0]


def purge(db, queue):
    """Throws away what waits, and says how many that were."""
    return db.execute("DELETE FROM message WHERE queue = ? AND state IN (0, 1)", (queue,)).rowcount
