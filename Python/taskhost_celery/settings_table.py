"""What becomes of each setting of Celery's in a taskhost worker: one row a setting, in the order of Celery's own list.

`describe` goes by it, docs/python.md shows it (`python settings_table.py` writes the table), and a test holds it to
`celery.app.defaults.NAMESPACES`: a setting that is in one and not in the other is an error.
"""
from collections import namedtuple

#: The worker goes by it; `ours` is the setting of taskhost that it makes.
HONOURED = "honoured"
#: Celery goes by it itself, in the processes of tasks and where tasks are sent: nothing is to be translated.
PYTHON = "in Python"
#: There is nothing that it could change here; `why` says so.
MOOT = "no meaning"
#: It would change something, and does not; `why` says what to do instead.
NOT = "not honoured"

Row = namedtuple("Row", "name verdict ours why")


def honoured(name, ours, why=""):
    return Row(name, HONOURED, ours, why)


def python(name, why=""):
    return Row(name, PYTHON, "", why)


def moot(name, why):
    return Row(name, MOOT, "", why)


def unheard(name, why):
    return Row(name, NOT, "", why)


def no_store(prefix, names, store):
    return [unheard(prefix + name, "there is no result store in %s" % store) for name in names.split()]


WAITS = "what does not answer is tried again until it does"
OWN_LOG = "taskhost's log has a form of its own: [log] format, `human` or `json`"
ONE_LINK = "the host has one connection to consume and one to send"
REPLY = "reply queues of remote control are declared by who asks"
MONITOR = "queues of events are declared by the monitors"

ROWS = [
    honoured("accept_content", "wire.accept_content", "but pickle, which is never read"),
    python("result_accept_content"),
    honoured("enable_utc", "schedules.*.timezone", "times in messages are in UTC"),
    python("imports"),
    python("include"),
    honoured("timezone", "schedules.*.timezone"),
    unheard("beat_enable_remote_control", "a beat here takes no commands"),
    unheard("beat_remote_control_max_tick_age", "a beat here takes no commands"),
    moot("beat_max_loop_interval", "beat wakes when something is due"),
    honoured("beat_schedule", "schedules.*", "sent by `taskhost beat -A`, or a worker with -B"),
    unheard("beat_scheduler", "run `celery beat` with that scheduler beside the workers: it works unmodified"),
    moot("beat_schedule_filename", "what beat remembers lies at the broker"),
    moot("beat_sync_every", "what beat remembers lies at the broker"),
    unheard("beat_cron_starting_deadline", "set `missed` in [schedules.NAME]: none, one or each late run is sent"),
    honoured("broker_url", "broker.url", "lists and `;`, too"),
    honoured("broker_read_url", "broker.url"),
    unheard("broker_write_url", "messages are taken and sent at one broker, that of broker_read_url"),
    honoured("broker_transport", "broker.url"),
    honoured("broker_transport_options", "broker.url", "global_keyprefix; others have no meaning, or are named"),
    honoured("broker_connection_timeout", "broker.url", "with RabbitMQ"),
    moot("broker_connection_retry", WAITS),
    moot("broker_connection_retry_on_startup", WAITS),
    moot("broker_connection_max_retries", WAITS),
    moot("broker_channel_error_retry", WAITS),
    unheard("broker_failover_strategy", "addresses are tried in turn"),
    honoured("broker_heartbeat", "broker.url", "with RabbitMQ"),
    moot("broker_heartbeat_checkrate", "RabbitMQ's rule: twice per heartbeat"),
    unheard("broker_login_method", "the host logs in by PLAIN"),
    honoured("broker_native_delayed_delivery_queue_type", "broker.delay_queue_type"),
    moot("broker_pool_limit", ONE_LINK),
    moot("broker_pool_acquire_timeout", ONE_LINK),
    honoured("broker_use_ssl", "broker.url"),
    honoured("broker_host", "broker.url"),
    honoured("broker_port", "broker.url"),
    honoured("broker_user", "broker.url"),
    honoured("broker_password", "broker.url"),
    honoured("broker_vhost", "broker.url"),
    honoured("cache_backend", "results.url", "memcached"),
    unheard("cache_backend_options", "memcached's clients here have no options"),
    *no_store("cassandra_", "entry_ttl keyspace port read_consistency servers bundle_path table write_consistency "
              "auth_provider auth_kwargs options", "Cassandra"),
    *no_store("s3_", "access_key_id secret_access_key bucket base_path endpoint_url region", "S3"),
    *no_store("azureblockblob_", "container_name retry_initial_backoff_sec retry_increment_base retry_max_attempts "
              "base_path connection_timeout read_timeout", "Azure's Blob Storage"),
    *no_store("gcs_", "bucket project base_path ttl", "Google's Cloud Storage"),
    moot("control_queue_ttl", REPLY),
    moot("control_queue_expires", REPLY),
    moot("control_queue_exclusive", REPLY),
    moot("control_queue_durable", REPLY),
    honoured("control_exchange", "control.exchange"),
    *no_store("couchbase_", "backend_settings", "Couchbase"),
    *no_store("arangodb_", "backend_settings", "ArangoDB"),
    honoured("mongodb_backend_settings", "results.url, results.task_table, results.group_table",
             "the collections; `database`, if the address names none"),
    *no_store("cosmosdbsql_", "database_name collection_name consistency_level max_retry_attempts "
              "max_retry_wait_time", "Cosmos DB"),
    moot("event_queue_expires", MONITOR),
    moot("event_queue_ttl", MONITOR),
    moot("event_queue_prefix", MONITOR),
    moot("event_queue_exclusive", MONITOR),
    moot("event_queue_durable", MONITOR),
    unheard("event_serializer", "events are JSON"),
    unheard("event_exchange", "events go to `celeryev`, where Celery's monitors look"),
    honoured("redis_backend_use_ssl", "results.url"),
    honoured("redis_db", "results.url", "with result_backend = \"redis\""),
    honoured("redis_host", "results.url", "with result_backend = \"redis\""),
    moot("redis_max_connections", "the host has one connection to the result store"),
    honoured("redis_username", "results.url", "with result_backend = \"redis\""),
    honoured("redis_password", "results.url", "with result_backend = \"redis\""),
    honoured("redis_port", "results.url", "with result_backend = \"redis\""),
    moot("redis_socket_timeout", WAITS),
    moot("redis_socket_connect_timeout", WAITS),
    moot("redis_retry_on_timeout", WAITS),
    moot("redis_socket_keepalive", "a silent connection is asked, and given up when it does not answer"),
    honoured("result_backend", "results.url"),
    python("result_cache_max"),
    honoured("result_compression", "results.compression"),
    moot("result_exchange", "of the backend `amqp`, which Celery has no more"),
    moot("result_exchange_type", "of the backend `amqp`, which Celery has no more"),
    honoured("result_expires", "results.expires"),
    unheard("result_chord_expires", "what chords keep is forgotten after result_expires"),
    unheard("result_failure_expires", "failures are forgotten after result_expires, like other results"),
    unheard("result_persistent", "results over rpc:// are not written to RabbitMQ's disk"),
    honoured("result_extended", "results.extended"),
    honoured("result_serializer", "results.serializer", "but pickle and bson"),
    honoured("result_backend_transport_options", "results.key_prefix",
             "global_keyprefix; others have no meaning, or are named"),
    moot("result_chord_retry_interval", "chords are counted, not looked after, but in databases: there each second"),
    python("result_chord_join_timeout"),
    moot("result_backend_max_sleep_between_retries_ms", WAITS),
    moot("result_backend_max_retries", WAITS),
    moot("result_backend_base_sleep_between_retries_ms", WAITS),
    moot("result_backend_always_retry", WAITS),
    *no_store("elasticsearch_", "retry_on_timeout max_retries timeout save_meta_as_text", "Elasticsearch"),
    honoured("security_certificate", "security.certificate"),
    honoured("security_cert_store", "security.cert_store"),
    honoured("security_key", "security.key"),
    unheard("security_key_password", "write it into a file and name that: [security] key_password_file"),
    honoured("security_digest", "security.digest"),
    honoured("database_url", "results.url", "with result_backend = \"database\""),
    moot("database_engine_options", "the host has one connection to the database, made again when it is lost"),
    unheard("database_engine_callback", "the host's connection is none of SQLAlchemy's"),
    moot("database_short_lived_sessions", "the host has no sessions"),
    honoured("database_table_schemas", "results.task_table, results.group_table"),
    honoured("database_table_names", "results.task_table, results.group_table"),
    moot("database_create_tables_at_setup", "tables are made when they are missing"),
    honoured("task_acks_late", "worker.acks_late", "the default differs: true"),
    honoured("task_acks_on_failure_or_timeout", "worker.acks_on_failure, worker.acks_on_timeout"),
    honoured("task_acks_on_failure", "worker.acks_on_failure"),
    honoured("task_acks_on_timeout", "worker.acks_on_timeout"),
    python("task_always_eager", "where tasks are called; a worker runs what comes"),
    python("task_annotations", "they are on the tasks when the worker reads these"),
    honoured("task_compression", "wire.task_compression"),
    unheard("task_create_missing_queues", "queues of -Q that are missing are made, as with true"),
    honoured("task_create_missing_queue_type", "queues.*.type"),
    unheard("task_create_missing_queue_exchange_type", "name the queue in task_queues"),
    honoured("task_inherit_parent_priority", "worker.inherit_parent_priority"),
    unheard("task_default_delivery_mode", "what the host sends is persistent"),
    honoured("task_default_queue", "worker.queues, routes.*"),
    honoured("task_default_queue_type", "queues.*.type"),
    honoured("task_default_exchange", "queues.*.exchange"),
    honoured("task_default_exchange_type", "queues.*.exchange_type"),
    honoured("task_default_routing_key", "queues.*.routing_key"),
    python("task_default_rate_limit", "it is on the tasks when the worker reads these"),
    python("task_default_priority"),
    python("task_eager_propagates"),
    honoured("task_ignore_result", "worker.ignore_result"),
    python("task_store_eager_result"),
    unheard("task_protocol", "the host takes both, and sends protocol 2"),
    moot("task_publish_retry", "what a task sends is confirmed by the broker before the task is settled"),
    moot("task_publish_retry_policy", "what a task sends is confirmed by the broker before the task is settled"),
    honoured("task_queues", "worker.queues, queues.*"),
    honoured("task_queue_max_priority", "queues.*.max_priority"),
    honoured("task_reject_on_worker_lost", "worker.reject_on_worker_lost", "the default differs: true"),
    moot("task_retry_on_worker_lost", "a task whose process dies is started again by itself (max_starts)"),
    python("task_remote_tracebacks"),
    python("task_repr_maxlevels"),
    honoured("task_routes", "routes.*", "what Python sends is routed by Celery; what follows a task, by its name"),
    unheard("task_send_sent_event", "the host sends no task-sent of its own"),
    honoured("task_serializer", "wire.task_serializer", "but pickle"),
    honoured("task_soft_time_limit", "worker.soft_time_limit"),
    honoured("task_time_limit", "worker.time_limit"),
    honoured("task_store_errors_even_if_ignored", "results.store_errors_even_if_ignored"),
    honoured("task_track_started", "worker.track_started"),
    python("task_allow_error_cb_on_chord_header"),
    unheard("worker_agent", "the host has no parts in Python"),
    unheard("worker_autoscaler", "the host has no parts in Python: --autoscale 10,2"),
    unheard("worker_cancel_long_running_tasks_on_connection_loss",
            "they go on, and the message delivered again is taken for theirs"),
    honoured("worker_soft_shutdown_timeout", "worker.soft_shutdown_timeout"),
    moot("worker_enable_soft_shutdown_on_idle", "tasks that wait for their time wait at the broker"),
    honoured("worker_concurrency", "worker.concurrency"),
    unheard("worker_consumer", "the host has no parts in Python"),
    unheard("worker_direct", "name a queue for each worker with -Q"),
    honoured("worker_disable_rate_limits", "tasks.*.rate_limit"),
    honoured("worker_deduplicate_successful_tasks", "worker.deduplicate_successful_tasks",
             "the default differs: true"),
    unheard("worker_enable_remote_control", "[control] read_only keeps commands from changing anything"),
    python("worker_hijack_root_logger"),
    unheard("worker_log_color", OWN_LOG),
    unheard("worker_log_datefmt", OWN_LOG),
    unheard("worker_log_format", OWN_LOG),
    moot("worker_lost_wait", "the death of a process is known at once"),
    honoured("worker_max_memory_per_child", "worker.max_memory_per_child"),
    honoured("worker_max_tasks_per_child", "worker.isolation"),
    unheard("worker_pool", "each task runs in a process of its own, as with prefork"),
    moot("worker_pool_putlocks", "there is no pool that could be locked"),
    honoured("worker_pool_restarts", "worker.pool_restarts"),
    unheard("worker_pool_start_method", "children are forked from one that has imported the app"),
    moot("worker_proc_alive_timeout", "a child works as soon as it is forked"),
    honoured("worker_prefetch_multiplier", "worker.prefetch_multiplier", "the default differs: a tenth of a second"),
    honoured("worker_eta_task_limit", "limits.max_waiting"),
    moot("worker_enable_prefetch_count_reduction", "nothing runs twice after a lost connection"),
    honoured("worker_disable_prefetch", "worker.prefetch_multiplier"),
    unheard("worker_redirect_stdouts", "what tasks print is logged, with the task's id"),
    unheard("worker_redirect_stdouts_level", "what tasks print is logged as INFO"),
    honoured("worker_send_task_events", "worker.task_events"),
    honoured("worker_state_db", "worker.state_file"),
    unheard("worker_task_log_datefmt", OWN_LOG),
    unheard("worker_task_log_format", OWN_LOG),
    unheard("worker_timer", "the host has no parts in Python"),
    moot("worker_timer_precision", "the host wakes when something is due"),
    moot("worker_detect_quorum_queues", "the host asks the broker what a queue is"),
]

BY_NAME = {row.name: row for row in ROWS}


def markdown():
    """The table of docs/python.md."""
    lines = ["| setting | what becomes of it | |", "|---|---|---|"]
    for row in ROWS:
        place = ", ".join("`%s`" % name for name in row.ours.split(", ")) if row.ours else row.verdict
        lines.append("| `%s` | %s | %s |" % (row.name, place, row.why))
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
