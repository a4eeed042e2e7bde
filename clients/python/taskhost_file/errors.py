"""What can go wrong with the file, sorted by whether waiting helps."""
import sqlite3


class FileError(Exception):
    """The file's, the disk's or the address' fault; the text names the fix."""


class FileUnavailable(FileError, OSError):
    """Trying again later may work: not made yet, locked, disk full. Celery's retry policies apply."""


class FileRefused(FileError):
    """This file, or this message, will not do, however often it is tried."""


def sort(error, path):
    """The error of ours that an `sqlite3.Error` means."""
    said = str(error)
    if "not a database" in said:
        return FileRefused(f"{path} is not a SQLite database. Name another file, or move this one away")
    if "malformed" in said:
        return FileRefused(f"{path} is damaged ({said}). Stop all that use it, then restore a copy or run: "
                           f"sqlite3 {path} .recover | sqlite3 new.db")
    if "readonly" in said:
        return FileRefused(f"{path} is read-only for this user. Give the user write access to the file and its folder")
    if isinstance(error, (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError)):
        return FileRefused(f"{path} does not take this: {said}")
    if "full" in said:
        return FileUnavailable(f"The disk of {path} is full. Make room, then send again")
    if "locked" in said:
        return FileUnavailable(f"{path} has been locked by another process for too long. Find it with: fuser {path}")
    return FileUnavailable(f"{path} cannot be used at the moment ({said})")
