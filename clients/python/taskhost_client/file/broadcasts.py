"""Remote control in the file: every statement of this package that touches the table `broadcast`.

A channel is the exchange of the workers' mailboxes for orders, and "exchange/routing key" for the replies to one client.
"""
from taskhost_client import columns, fields
from taskhost_client.file import clock

# After so long no process is expected to look for it any more.
KEPT_SECONDS = 60.0


def new(channel, message):
    """`insert` of a kombu message (`prepare_message`)."""
    row = (channel, columns.properties(message), fields.headers_text(message["headers"]), columns.body(message))

    def insert(db):
        db.execute("DELETE FROM broadcast WHERE expires_at <= ?", (clock.now(),))
        db.execute("INSERT INTO broadcast(channel, properties, headers, body, expires_at) VALUES (?, ?, ?, ?, ?)",
                   (*row, clock.after(KEPT_SECONDS)))

    return insert


def last_id(db):
    """Of the last one there ever was."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'broadcast'").fetchone()
    return row[0] if row else 0


def next_after(db, last, channel):
    """(id, properties, headers, body) of the next one, the columns as they are; None: there is none."""
    return db.execute("SELECT id, properties, headers, body FROM broadcast WHERE id > ? AND channel = ? ORDER BY id LIMIT 1",
                      (last, channel)).fetchone()
