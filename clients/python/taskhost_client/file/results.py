"""Results in the file: every statement of this package that touches the table `result`."""
from taskhost_client.file import clock


def store(db, task_id, state, document, expires_seconds):
    """A SUCCESS that is not yet expired stays as it is."""
    known = db.execute("SELECT state, expires_at FROM result WHERE task_id = ?", (task_id,)).fetchone()
    if known and known[0] == "SUCCESS" and (known[1] is None or known[1] > clock.now()):
        return
    # REPLACE gives the row a new, higher number: that is what followers look for.
    db.execute("INSERT OR REPLACE INTO result(task_id, state, meta, expires_at) VALUES (?, ?, ?, ?)",
               (task_id, state, document, clock.after(expires_seconds)))


def fetch(db, task_id):
    """The document; None: there is none, or it has expired."""
    row = db.execute("SELECT meta FROM result WHERE task_id = ? AND (expires_at IS NULL OR expires_at > ?)",
                     (task_id, clock.now())).fetchone()
    return row[0] if row else None


def fetch_all(db, task_ids):
    """(task id, document) of those that are there."""
    places = ",".join("?" * len(task_ids))
    return db.execute(f"SELECT task_id, meta FROM result WHERE task_id IN ({places}) "
                      "AND (expires_at IS NULL OR expires_at > ?)", (*task_ids, clock.now())).fetchall()


def forget(db, task_id):
    db.execute("DELETE FROM result WHERE task_id = ?", (task_id,))


def last_number(db):
    return db.execute("SELECT max(seq) FROM result").fetchone()[0] or 0


def changes(db, after, wanted):
    """The number to ask with next time, and the (task id, document) of the wanted ids that were stored since `after`."""
    last, found = after, []
    rows = db.execute("SELECT seq, task_id FROM result WHERE seq > ? ORDER BY seq", (after,)).fetchall()
    for last, task_id in rows:
        if task_id in wanted:
            document = fetch(db, task_id)
            if document is not None:
                found.append((task_id, document))
    return last, found


def sweep(db, limit=1000):
    """Removes some of what has expired."""
    db.execute("DELETE FROM result WHERE seq IN (SELECT seq FROM result WHERE expires_at <= ? LIMIT ?)",
               (clock.now(), limit))
