"""Where the app's broker and result store are, as addresses that the host reads."""
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

AMQP = ("amqp", "amqps", "pyamqp", "pyamqps", "librabbitmq")
REDIS = ("redis", "rediss", "redis+socket", "unix")
#: Results in places that the host has no store for.
FOREIGN = ("django-db", "django-cache", "file", "filesystem", "elasticsearch", "cassandra", "couchbase", "couchdb",
           "cosmosdbsql", "consul", "dynamodb", "azureblockblob", "arangodb", "s3", "gs", "riak", "sentinel")


#: Databases the host writes to by itself.
HOST_DIALECTS = ("postgresql", "postgres", "mysql", "mariadb")


def dialect(scheme):
    """db+mysql+pymysql: mysql."""
    return scheme.split("+")[1]


def scheme_of(url):
    return url.partition("://")[0].lower() if "://" in url else url.partition(":")[0].lower()


def with_parameters(url, **parameters):
    """The address with what it does not say yet; None: not said."""
    head, mark, query = url.partition("?")
    known = dict(parse_qsl(query, keep_blank_values=True))
    more = {name: str(value) for name, value in parameters.items() if value is not None and name not in known}
    if not more:
        return url
    return head + "?" + (query + "&" if query else "") + urlencode(more, quote_via=quote, safe="/")


def broker(found):
    """Celery's default is a broker, too: a client of this app would send there."""
    conf = found.conf
    urls = conf.broker_read_url
    urls = [part for part in urls.split(";") if part.strip()] if isinstance(urls, str) else list(urls or ())
    if not urls or not all("://" in url for url in urls):
        # Put together from broker_host and its like; a scheme that kombu does not know is ours, perhaps.
        connection = found.app.connection_for_read()
        urls = [url for url in connection.alt if isinstance(url, str)] or [connection.as_uri(include_password=True)]
    origin = next((name for name in ("broker_read_url", "broker_url", "broker_host", "broker_transport")
                   if found.is_set(name)), None)
    made = []
    for url in urls:
        url = url.strip()
        if "://" not in url:
            url = "%s://%s" % (conf.get("broker_transport") or "amqp", url)
        made.append(tuned(found, url))
    found.add("broker.url", ";".join(made), origin or "broker_url", default=origin is None)
    write = conf.get("broker_write_url")
    if write and conf.get("broker_read_url") and write != conf.get("broker_read_url"):
        found.refuse("broker_write_url")


def tuned(found, url):
    conf = found.conf
    options = conf.get("broker_transport_options") or {}
    scheme = scheme_of(url)
    if scheme in AMQP:
        url = secured_amqp(found, url)
        timeout = conf.get("broker_connection_timeout") if found.is_set("broker_connection_timeout") else None
        beat = conf.get("broker_heartbeat") if found.is_set("broker_heartbeat") else None
        return with_parameters(url, heartbeat=None if beat is None else int(beat),
                               connection_timeout=None if timeout is None else max(1, int(float(timeout) * 1000)))
    if scheme in REDIS:
        url = secured_redis(found, url, "broker_use_ssl")
        return with_parameters(url, global_keyprefix=options.get("global_keyprefix") or None)
    return url


#: Of `broker_transport_options` and `result_backend_transport_options`: what would change something, and does not.
UNHEARD = {
    "sep": "names of lists of priorities are Celery's own: \\x06\\x16",
    "priority_steps": "Celery's own steps hold: 0, 3, 6, 9",
    "queue_order_strategy": "--queues says the order, or shares",
    "fanout_prefix": "Celery's default holds: true",
    "fanout_patterns": "Celery's default holds: true",
    "master_name": "Redis Sentinel is not spoken",
    "result_chord_ordered": "Celery's default holds: in the order of the chord",
    "predefined_queues": "of Amazon's SQS, which is not spoken",
    "unacked_key": "Celery's default holds", "unacked_index_key": "Celery's default holds",
    "unacked_mutex_key": "Celery's default holds",
}


def options_unheard(found, setting):
    defaults = {"fanout_prefix": True, "fanout_patterns": True, "sep": "\x06\x16", "priority_steps": [0, 3, 6, 9],
                "result_chord_ordered": True, "queue_order_strategy": "round_robin"}
    options = found.conf.get(setting) or {}
    for name in sorted(options):
        if name in UNHEARD and options[name] != defaults.get(name, object()):
            found.refuse(setting, "%s: %s" % (name, UNHEARD[name]), part=name)


def mode(value):
    """Of ssl.CERT_…, a word for it, or text."""
    name = getattr(value, "name", None) or {0: "none", 1: "optional", 2: "required"}.get(value, value)
    return str(name).lower().replace("cert_", "")


def secured_amqp(found, url):
    use = found.conf.get("broker_use_ssl")
    if not use:
        return url
    scheme, _, rest = url.partition("://")
    url = "%s://%s" % (scheme if scheme.endswith("s") else scheme + "s", rest)
    if not isinstance(use, dict):
        return url
    checks = mode(use["cert_reqs"]) != "none" if "cert_reqs" in use else None
    for name in sorted(set(use) - {"ca_certs", "certfile", "keyfile", "cert_reqs", "server_hostname"}):
        found.refuse("broker_use_ssl", "%s has no counterpart in an amqps:// address" % name, part=name)
    return with_parameters(url, cacertfile=use.get("ca_certs"), certfile=use.get("certfile"),
                           keyfile=use.get("keyfile"),
                           verify=None if checks is None else "verify_peer" if checks else "verify_none")


def secured_redis(found, url, setting):
    use = found.conf.get(setting)
    if not use or scheme_of(url) not in ("redis", "rediss"):
        return url
    url = "rediss://" + url.partition("://")[2]
    if not isinstance(use, dict):
        return url
    names = {"ssl_" + name.replace("ssl_", ""): value for name, value in use.items()}
    known = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
    for name in sorted(set(names) - set(known)):
        found.refuse(setting, "%s has no counterpart in a rediss:// address" % name, part=name)
    said = {name: names[name] for name in known if names.get(name) is not None}
    if "ssl_cert_reqs" in said:
        said["ssl_cert_reqs"] = mode(said["ssl_cert_reqs"])
    if "ssl_check_hostname" in said:
        said["ssl_check_hostname"] = "true" if said["ssl_check_hostname"] else "false"
    return with_parameters(url, **said)


def results(found):
    conf = found.conf
    # What the constructor was given, Celery(backend=…), counts as set, too.
    value = conf.get("result_backend")
    origin = "result_backend"
    if not value or value in ("disabled", "disabled://"):
        return found.add("results.url", "none", origin, default=not value)
    if not isinstance(value, str):
        return foreign_store(found)
    url, origin = spelled(found, value.strip())
    scheme = scheme_of(url)
    if scheme in FOREIGN or "." in scheme or scheme.startswith("db+") and dialect(scheme) not in HOST_DIALECTS:
        return foreign_store(found)
    if scheme in ("redis", "rediss"):
        url = secured_redis(found, url, "redis_backend_use_ssl")
    if scheme == "mongodb":
        url = mongodb(found, url)
    if scheme.startswith(("db+", "database+")):
        tables(found)
    found.add("results.url", url, origin)
    options = conf.get("result_backend_transport_options") or {}
    if options.get("global_keyprefix"):
        found.add("results.key_prefix", options["global_keyprefix"], "result_backend_transport_options")


def foreign_store(found):
    """own_results.py writes there."""
    found.stores_results = True
    found.add("results.url", "none", "result_backend")


def spelled(found, value):
    """Addresses of backends that have settings of their own in place of one."""
    conf = found.conf
    if value in ("rpc", "rpc://", "amqp", "amqp://"):
        return "rpc://", "result_backend"
    if value in ("redis", "redis://", "rediss", "rediss://"):
        user, word = conf.get("redis_username") or "", conf.get("redis_password") or ""
        who = "%s%s@" % (quote(user, safe=""), ":" + quote(word, safe="") if word else "") if user or word else ""
        host = conf.get("redis_host") or "localhost"
        name = next((name for name in ("redis_host", "redis_port", "redis_db") if found.is_set(name)),
                    "result_backend")
        scheme = value.partition(":")[0]
        if host.startswith("/"):
            return "redis+socket://%s%s?virtual_host=%s" % (who, host, conf.get("redis_db") or 0), name
        return "%s://%s%s:%s/%s" % (scheme, who, host, conf.get("redis_port") or 6379, conf.get("redis_db") or 0), name
    if value.startswith("socket://"):
        return "redis+" + value, "result_backend"
    if value in ("database", "database://", "db", "db://"):
        return "db+" + str(conf.get("database_url") or ""), "database_url"
    if value.startswith("database+"):
        return "db+" + value.partition("+")[2], "result_backend"
    if value in ("cache", "cache://"):
        name = str(conf.get("cache_backend") or "")
        return (name if name.startswith("cache+") else "cache+" + name), "cache_backend"
    if value in ("mongodb", "mongodb://"):
        return "mongodb://localhost:27017/", "result_backend"
    return value, "result_backend"


def mongodb(found, url):
    own = found.conf.get("mongodb_backend_settings") or {}
    for name, key in (("taskmeta_collection", "results.task_table"), ("groupmeta_collection", "results.group_table")):
        if own.get(name):
            found.add(key, own[name], "mongodb_backend_settings")
    parts = urlsplit(url)
    if own.get("database") and not parts.path.strip("/"):
        url = urlunsplit(parts._replace(path="/" + own["database"]))
    known = {"taskmeta_collection", "groupmeta_collection", "database"}
    for name in sorted(set(own) - known):
        found.refuse("mongodb_backend_settings", "%s: write it into the address" % name, part=name)
    return url


def tables(found):
    names = found.conf.get("database_table_names") or {}
    schemas = found.conf.get("database_table_schemas") or {}
    for kind, key, usual in (("task", "results.task_table", "celery_taskmeta"),
                             ("group", "results.group_table", "celery_tasksetmeta")):
        if kind in names or kind in schemas:
            name = names.get(kind, usual)
            found.add(key, "%s.%s" % (schemas[kind], name) if schemas.get(kind) else name, "database_table_names")
