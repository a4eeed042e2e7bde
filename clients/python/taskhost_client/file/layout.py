"""Whose file it is, and whether this package knows its layout.

A file is made and lifted by taskhost alone, so that its tables are described in one place: Schema.swift.
"""
from taskhost_client.errors import BrokerRefused, BrokerUnavailable

# "thst"
APPLICATION_ID = 0x74687374
# The layout this package writes.
VERSION = 3

START = "Start taskhost on it once (taskhost worker --broker sqlite://{path}), then send again"


def check(db, path):
    """Raises unless the file is taskhost's, of the layout we know. Changes nothing."""
    owner, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if owner == 0 and version == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise missing(path, "is empty so far")
    if owner != APPLICATION_ID:
        raise BrokerRefused(f"{path} is a database of another program. Name another file")
    if version > VERSION:
        raise BrokerRefused(f"{path} has layout {version}, this taskhost-client knows {VERSION}. "
                          "Install the taskhost-client that came with the newer taskhost")
    if version < VERSION:
        raise BrokerUnavailable(f"{path} has the older layout {version}. {START.format(path=path)}: it lifts the file")


def missing(path, what="is not there"):
    """It may be made at any moment, so trying again makes sense."""
    return BrokerUnavailable(f"{path} {what}; taskhost makes it. {START.format(path=path)}")
