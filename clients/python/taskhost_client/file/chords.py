"""Chords in the file: what a client announces in the table `chord`. Parts are counted and joined by taskhost."""
from taskhost_client.file import clock

# After its last part until a chord is forgotten.
KEPT_SECONDS = 86_400.0


def begin(db, group_id, saved_group):
    """Before the first member is sent. Applied once more, a frozen chord has the same id: what it was before must not
    matter.

    `saved_group` is the document of a header with groups within groups, else None: their results are put together from it.
    """
    db.execute("DELETE FROM chord WHERE group_id = ? AND is_over = 1", (group_id,))
    _open(db, group_id)
    db.execute("UPDATE chord SET saved_group = ?, token = NULL, token_until = NULL WHERE group_id = ?",
               (saved_group, group_id))


def set_size(db, group_id, size):
    """How many parts to wait for; told before the last member is sent."""
    _open(db, group_id)
    db.execute("UPDATE chord SET size = ? WHERE group_id = ?", (size, group_id))


def _open(db, group_id):
    expires = clock.after(KEPT_SECONDS)
    db.execute("INSERT INTO chord(group_id, expires_at) VALUES (?, ?) "
               "ON CONFLICT(group_id) DO UPDATE SET expires_at = excluded.expires_at", (group_id, expires))
