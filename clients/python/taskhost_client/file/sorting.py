"""What SQLite says, as an error of this package."""
import sqlite3

from taskhost_client.errors import BrokerRefused, BrokerUnavailable


def sort(error, path):
    """The error of ours that an `sqlite3.Error` means."""
    said = str(error)
    if "not a database" in said:
        return BrokerRefused(f"{path} is not a SQLite database. Name another file, or move this one away")
    if "malformed" in said:
        return BrokerRefused(f"{path} is damaged ({said}). Stop all that use it, then restore a copy or run: "
                           f"sqlite3 {path} .recover | sqlite3 new.db")
    if "readonly" in said:
        return BrokerRefused(f"{path} is read-only for this user. Give the user write access to the file and its folder")
    if isinstance(error, (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError)):
        return BrokerRefused(f"{path} does not take this: {said}")
    if "full" in said:
        return BrokerUnavailable(f"The disk of {path} is full. Make room, then send again")
    if "locked" in said:
        return BrokerUnavailable(f"{path} has been locked by another process for too long. Find it with: fuser {path}")
    return BrokerUnavailable(f"{path} cannot be used at the moment ({said})")
