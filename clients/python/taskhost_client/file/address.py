"""Which file, and how durable: what a `sqlite:` URL says, read as taskhost reads it."""
import os
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from taskhost_client.errors import BrokerRefused

SCHEMES = ("sqlite",)


class Address(NamedTuple):
    """`path` is absolute; `synchronous` is "full" (a confirmed message survives a power cut) or "normal" (it survives any
    crash of processes)."""

    path: str
    synchronous: str = "full"

    @property
    def wake_path(self):
        """The file that is touched to tell others that there is something new."""
        return self.path + "-wake"

    def __str__(self):
        return f"sqlite://{self.path}" + ("?synchronous=normal" if self.synchronous == "normal" else "")


def parse(url, environment=os.environ):
    """The `Address` of a URL such as `sqlite:///var/lib/app/tasks.db`. Raises `BrokerRefused`."""
    text = url[len("taskhost+"):] if url.startswith("taskhost+") else url
    scheme, found, rest = text.partition("://")
    if not found or scheme not in SCHEMES:
        raise refused(url, 'it does not begin with "sqlite://"')
    rest, _, query = rest.partition("?")
    if rest and not rest.startswith("/"):
        raise refused(url, "a file has no host part")
    synchronous = "full"
    for item in filter(None, query.split("&")):
        name, _, synchronous = item.partition("=")
        if name != "synchronous" or synchronous not in ("full", "normal"):
            raise refused(url, f'"{item}" is not understood; known is synchronous=full or synchronous=normal')
    path = os.fsdecode(unquote_to_bytes(rest)) if rest else default_path(environment)
    if path.endswith("/") or "\0" in path:
        raise refused(url, "it names no file")
    return Address(path, synchronous)


def default_path(environment):
    """`$XDG_STATE_HOME/taskhost/taskhost.db`, else `~/.local/state/taskhost/taskhost.db`."""
    state = environment.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return state + "/taskhost/taskhost.db"
    home = environment.get("HOME", "")
    if home.startswith("/"):
        return home + "/.local/state/taskhost/taskhost.db"
    raise BrokerRefused("No place for the embedded broker: neither XDG_STATE_HOME nor HOME is set. "
                      "Name the file: sqlite:///path/to/taskhost.db")


def refused(url, reason):
    return BrokerRefused(f'The address "{url}" cannot be used: {reason}. '
                       "Write sqlite:///absolute/path, or sqlite:// for the default file")
