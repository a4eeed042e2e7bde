"""Where the database is: the address as taskhost and SQLAlchemy write it, and as libpq wants it."""
import re

from taskhost_client.errors import BrokerRefused

# SQLAlchemy's name of a driver says nothing about the place; of postgresql+psycopg2:// kombu leaves us only that.
SCHEME = re.compile(r"(?:taskhost\+)?(?:postgresql|postgres|psycopg2?)(?:\+\w+)?://")


def parse(url):
    """libpq's form of `url`. Raises `BrokerRefused`, which never shows a password."""
    found = SCHEME.match(url or "")
    if not found:
        raise BrokerRefused("The address of the PostgreSQL broker cannot be used: it does not begin with "
                            '"postgresql://". Write postgresql://USER:PASSWORD@HOST/DATABASE')
    return "postgresql://" + url[found.end():]


def channel(name):
    """What LISTEN and NOTIFY call a channel of ours: names in the database are short, so it is hashed (FNV-1a, 64 bits)."""
    number = 0xCBF29CE484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"taskhost-{number:x}"
