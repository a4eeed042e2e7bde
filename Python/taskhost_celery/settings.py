"""The app's configuration as settings of taskhost, each with the name that the app has it by; and what is not honoured."""
from . import addresses, queues, schedules
from .settings_table import BY_NAME, MOOT, NOT, PYTHON, ROWS
from .values import seconds, shown

#: Settings that are one of ours, as they are: Celery's name, ours, and what makes the value.
PLAIN = (
    ("broker_native_delayed_delivery_queue_type", "broker.delay_queue_type", str),
    ("control_exchange", "control.exchange", str),
    ("result_compression", "results.compression", str),
    ("result_expires", "results.expires", seconds),
    ("result_extended", "results.extended", bool),
    ("task_acks_late", "worker.acks_late", bool),
    ("task_acks_on_failure_or_timeout", "worker.acks_on_failure", bool),
    ("task_acks_on_failure_or_timeout", "worker.acks_on_timeout", bool),
    ("task_acks_on_failure", "worker.acks_on_failure", bool),
    ("task_acks_on_timeout", "worker.acks_on_timeout", bool),
    ("task_compression", "wire.task_compression", str),
    ("task_inherit_parent_priority", "worker.inherit_parent_priority", bool),
    ("task_ignore_result", "worker.ignore_result", bool),
    ("task_reject_on_worker_lost", "worker.reject_on_worker_lost", bool),
    ("task_soft_time_limit", "worker.soft_time_limit", seconds),
    ("task_time_limit", "worker.time_limit", seconds),
    ("task_store_errors_even_if_ignored", "results.store_errors_even_if_ignored", bool),
    ("task_track_started", "worker.track_started", bool),
    ("worker_soft_shutdown_timeout", "worker.soft_shutdown_timeout", seconds),
    ("worker_deduplicate_successful_tasks", "worker.deduplicate_successful_tasks", bool),
    ("worker_max_memory_per_child", "worker.max_memory_per_child", int),
    ("worker_pool_restarts", "worker.pool_restarts", bool),
    ("worker_eta_task_limit", "limits.max_waiting", int),
    ("worker_send_task_events", "worker.task_events", bool),
    ("worker_state_db", "worker.state_file", str),
)

#: Other spellings of what holds anyway, so that nobody is warned of them.
HARMLESS = {
    "worker_pool": ("prefork", "processes"), "worker_pool_start_method": ("fork",), "task_protocol": (2,),
    "beat_scheduler": ("celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler"),
    "broker_login_method": (None, "PLAIN", "AMQPLAIN"), "broker_failover_strategy": (None, "round-robin"),
    "task_create_missing_queues": (True,), "task_default_delivery_mode": (2, "2", "persistent"),
    "worker_direct": (False,), "worker_enable_remote_control": (True,), "worker_redirect_stdouts": (True,),
    "worker_cancel_long_running_tasks_on_connection_loss": (False,), "task_send_sent_event": (False,),
    "event_serializer": ("json",), "event_exchange": ("celeryev",), "worker_agent": (None,),
    "result_persistent": (None, False), "beat_enable_remote_control": (False,),
    # Once it has been set by hand, `broker_write_url` is the same one.
    "broker_write_url": (None,),
}

NAMES = {"application/json": "json", "application/x-msgpack": "msgpack", "application/x-yaml": "yaml",
         "application/data": "auth", "application/x-python-serialize": "pickle"}
SPOKEN = ("json", "msgpack", "yaml", "auth")


class Found:
    def __init__(self, app):
        self.app = app
        self.conf = app.conf
        self.settings = []
        #: The app's own backend keeps the results: the host has no store for it.
        self.stores_results = False
        self.refused = {}
        #: What somebody has set, over Celery's defaults.
        self.given = self.conf.maps[:-1]
        self.prefix = self.conf.prefix or ""

    def spelling(self, name):
        """How the app has it: CELERY_BROKER_URL in Django's settings; None: not set."""
        from celery.app.defaults import _TO_OLD_KEY
        old = _TO_OLD_KEY.get(name, name.upper())
        for word in (name, self.prefix + name, (self.prefix + name).upper(), old):
            if any(word in layer for layer in self.given):
                return word
        return None

    def is_set(self, name):
        return self.spelling(name) is not None

    def add(self, key, value, name, default=False):
        path = key.split(".") if isinstance(key, str) else key
        origin = "%s, Celery's default" % name if default else self.spelling(name) or name
        self.settings = [one for one in self.settings if one["key"] != path]
        self.settings.append({"key": path, "value": value, "from": origin})

    def refuse(self, name, why=None, part=""):
        self.refused[(name, part)] = why or BY_NAME[name].why


def collect(app):
    """(settings, what became of each setting of the app's, whether results are the app's own affair)."""
    found = Found(app)
    addresses.broker(found)
    addresses.results(found)
    for setting in ("broker_transport_options", "result_backend_transport_options"):
        addresses.options_unheard(found, setting)
    queues.queues(found)
    queues.routes(found)
    schedules.schedules(found)
    for name, key, make in PLAIN:
        value = found.conf.get(name)
        if found.is_set(name) and (value is not None or make is seconds):
            found.add(key, make(value), name)
    content(found)
    worker(found)
    security(found)
    return found.settings, report(found), found.stores_results


def content(found):
    conf = found.conf
    if found.is_set("accept_content"):
        kinds = [NAMES.get(kind, kind) for kind in conf.accept_content or ()]
        for kind in kinds:
            if kind not in SPOKEN:
                found.refuse("accept_content", "%s: such messages are refused" % kind, part=kind)
        found.add("wire.accept_content", [kind for kind in kinds if kind in SPOKEN] or ["json"], "accept_content")
    for name, key, spoken in (("task_serializer", "wire.task_serializer", SPOKEN),
                              ("result_serializer", "results.serializer", ("json", "msgpack", "yaml"))):
        if not found.is_set(name):
            continue
        kind = NAMES.get(conf.get(name), conf.get(name))
        if kind in spoken:
            found.add(key, kind, name)
        else:
            found.refuse(name, "%s is not written; json is" % kind)


def worker(found):
    conf = found.conf
    if found.is_set("worker_concurrency") and conf.worker_concurrency not in (None, 0, "auto"):
        found.add("worker.concurrency", int(conf.worker_concurrency), "worker_concurrency")
    count = conf.get("worker_max_tasks_per_child")
    if count:
        found.add("worker.isolation", "fresh" if count == 1 else "keep:%d" % count, "worker_max_tasks_per_child")
    if found.is_set("worker_prefetch_multiplier") and conf.worker_prefetch_multiplier:
        found.add("worker.prefetch_multiplier", int(conf.worker_prefetch_multiplier), "worker_prefetch_multiplier")
    if conf.get("worker_disable_prefetch"):
        found.add("worker.prefetch_multiplier", 1, "worker_disable_prefetch")
    if conf.get("worker_disable_rate_limits"):
        found.add(["tasks", "*", "rate_limit"], "0", "worker_disable_rate_limits")


def security(found):
    conf = found.conf
    if "auth" not in [NAMES.get(kind, kind) for kind in conf.accept_content or ()] + [conf.task_serializer]:
        return
    for name in ("certificate", "cert_store", "key", "digest"):
        setting = "security_" + name
        if found.is_set(setting) and conf.get(setting):
            found.add("security." + name, str(conf.get(setting)), setting)


def report(found):
    """Of each setting that the app sets: its value for people, and what becomes of it."""
    rows = []
    defaults = found.conf.maps[-1]
    for row in ROWS:
        spelling = found.spelling(row.name)
        refusals = [(part, why) for (name, part), why in found.refused.items() if name == row.name]
        value = found.conf.get(row.name)
        changed = spelling is not None and value not in HARMLESS.get(row.name, (defaults.get(row.name),))
        if spelling is None and not refusals:
            continue
        verdict, why = row.verdict, row.why
        if refusals:
            verdict, why = NOT, "; ".join(sorted(why for _, why in refusals))
        elif row.name == "result_backend" and found.stores_results:
            verdict, why = PYTHON, "the tasks' own processes write there"
        elif verdict == NOT and not changed:
            verdict, why = MOOT, "it is what holds anyway"
        rows.append({"name": spelling or row.name, "value": shown(row.name, value), "verdict": verdict,
                     "ours": row.ours, "why": why})
    return rows
