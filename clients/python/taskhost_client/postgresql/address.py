"""Where the database is: the address as taskhost and SQLAlchemy write it, as libpq's keywords."""
import re
from urllib.parse import quote, unquote

from taskhost_client.errors import BrokerRefused

# SQLAlchemy's name of a driver says nothing about the place; of postgresql+psycopg2:// kombu leaves us only that.
SCHEME = re.compile(r"(?:taskhost\+)?(?:postgresql|postgres|psycopg2?)(?:\+\w+)?://")

PASSWORD = "percent-encode what it holds of / ? # @ % : (urllib.parse.quote(password, safe=''))"


def parse(url):
    """libpq's keywords. Raises `BrokerRefused`, which never shows a password."""
    found = SCHEME.match(url or "")
    if not found:
        raise refused('it does not begin with "postgresql://"')
    rest = url[found.end():]
    end = re.search(r"[/?]|$", rest).start()
    credentials, marked, hosts = rest[:end].rpartition("@")
    if not marked and "@" in rest[end:].partition("?")[0]:
        raise refused(f"its password cannot be told from the rest; {PASSWORD}")
    path, _, query = rest[end:].partition("?")
    keywords = {}
    user, _, password = credentials.partition(":")
    for name, text in [("user", user), ("password", password), ("dbname", path.strip("/"))]:
        if text:
            keywords[name] = unquote(text)
    names, ports = [], []
    for host in filter(None, hosts.split(",")):
        if not re.fullmatch(r"(\[[^]]*\]|[^:\[\]]*)(:\d*)?", host):
            raise refused(f"a host or its port is not understood; if that is the password, {PASSWORD}")
        name, _, port = host.rpartition(":") if re.search(r":\d*$", host) else (host, "", "")
        names.append(unquote(name).strip("[]"))
        ports.append(port)
    if names:
        keywords["host"] = ",".join(names)
    if any(ports):
        keywords["port"] = ",".join(ports)
    for item in filter(None, query.split("&")):
        name, _, value = item.partition("=")
        keywords[unquote(name)] = unquote(value)
    return keywords


def refused(reason):
    return BrokerRefused(f"The address of the PostgreSQL broker cannot be used: {reason}. "
                         "Write postgresql://USER:PASSWORD@HOST/DATABASE")


def sqlalchemy(url):
    """The same place as SQLAlchemy wants it."""
    keywords = parse(url)
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in keywords.items()
                     if name not in ("user", "password", "dbname"))
    who = ":".join(quote(keywords[name], safe="") for name in ("user", "password") if name in keywords)
    return f"postgresql+psycopg2://{who}{'@' if who else ''}/{quote(keywords.get('dbname', ''), safe='')}?{query}"


def shown(url, mask="**"):
    """Without the password."""
    keywords = parse(url)
    who = keywords.get("user", "") + (f":{mask}" if "password" in keywords else "")
    port = f":{keywords['port']}" if "port" in keywords else ""
    return f"postgresql://{who}{'@' if who else ''}{keywords.get('host', '')}{port}/{keywords.get('dbname', '')}"


def channel(name):
    """What LISTEN and NOTIFY call a channel of ours: names in the database are short, so it is hashed (FNV-1a, 64 bits)."""
    number = 0xCBF29CE484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"taskhost-{number:x}"
