import Beat

/// Every setting there is. docs/configuration.md and docs/taskhost.toml are checked against this list.
enum Settings {
    static let all: [Setting] =
        broker + results + sharedLimits + worker + control + metrics + traces + log + limits + wire + security + queues
        + routes + tasks + schedules + hooks

    private static let seconds = SettingKind.seconds(0...Double.infinity)

    private static let broker = [
        Setting(
            "broker.url", .text, environment: ["TASKHOST_BROKER", "CELERY_BROKER_URL"], fallback: "sqlite:",
            about: "amqp(s)://, redis(s):// or sqlite: address; several amqp ones, joined by `;`, in turn"),
        Setting(
            "broker.url_file", .text, environment: ["TASKHOST_BROKER_FILE"], fallback: "–",
            about: "file that holds the address, for secrets"),
        Setting(
            "broker.management_url", .text, environment: ["TASKHOST_MANAGEMENT_URL"], fallback: "none",
            about: "of RabbitMQ's management API, which `taskhost doctor` asks for policies"),
        Setting(
            "broker.delay_queue_type", .choice(["quorum", "classic"]), fallback: "quorum",
            about: "type of the queues of Celery's delay ladder on RabbitMQ, when we are the first to declare them"),
        Setting(
            "broker.dead_queue_type", .choice(["classic", "quorum"]), fallback: "classic",
            about: "type of `<queue>.dead` on RabbitMQ, likewise"),
    ]

    private static let results = [
        Setting(
            "results.url", .text, environment: ["TASKHOST_RESULT_BACKEND", "CELERY_RESULT_BACKEND"],
            fallback: "see below",
            about: "rpc://, redis(s)://, redis+socket://, sqlite: address, or `none`"),
        Setting(
            "results.url_file", .text, environment: ["TASKHOST_RESULT_BACKEND_FILE"], fallback: "–",
            about: "file that holds the address, for secrets"),
        Setting(
            "results.expires", seconds, fallback: "86400",
            about: "seconds until a stored result may be forgotten; 0: never"),
        Setting(
            "results.extended", .flag, fallback: "false",
            about: "results carry name, arguments, worker and queue as well (Celery's result_extended)"),
        Setting(
            "results.serializer", .choice(["json", "msgpack", "yaml"]), fallback: "json",
            about: "of results in Redis and over rpc:// (Celery's result_serializer)"),
        Setting(
            "results.compression", .choice(["zlib", "bzip2", "lzma", "brotli", "zstd"]), fallback: "none",
            about: "of results in Redis (Celery's result_compression)"),
        Setting(
            "results.key_prefix", .text, fallback: "none",
            about: "before every Redis key (Celery's global_keyprefix)"),
        Setting(
            "results.store_errors_even_if_ignored", .flag, fallback: "false",
            about: "failures are stored even of tasks whose results are ignored"),
    ]

    private static let worker = [
        Setting(
            "worker.queues", .texts, environment: ["TASKHOST_QUEUES"], fallback: "celery",
            about: "queues to serve; earlier ones first, or with shares: \"urgent:3\", \"normal:1\""),
        Setting(
            "worker.concurrency", .integer(1...4096), environment: ["TASKHOST_CONCURRENCY"], fallback: "CPUs",
            about: "tasks run at a time"),
        Setting(
            "worker.autoscale", .text, environment: ["TASKHOST_AUTOSCALE"], fallback: "none",
            about: "\"10,2\": the most and the least tasks run at a time, as needed; in place of concurrency"),
        Setting(
            "worker.autoscale_keepalive", seconds,
            environment: ["TASKHOST_AUTOSCALE_KEEPALIVE", "AUTOSCALE_KEEPALIVE"], fallback: "30",
            about: "seconds that some slots must have been idle until they go"),
        Setting(
            "worker.pool_restarts", .flag, fallback: "false",
            about: "remote control may have the bundles reloaded (Celery's worker_pool_restarts)"),
        Setting(
            "worker.hostname", .text, environment: ["TASKHOST_HOSTNAME"], fallback: "celery@%h",
            about: "node name; %h full host name, %n its first label, %d its domain"),
        Setting(
            "worker.plugins", .texts, environment: ["TASKHOST_PLUGINS"], fallback: "plugins/ beside bin/",
            about: "folders whose *.so are loaded"),
        Setting(
            "worker.environment", .texts, fallback: "none",
            about: "names of environment variables that bundles may see, beside PATH, LANG, TZ and HOME"),
        Setting(
            "worker.isolation", .text, environment: ["TASKHOST_ISOLATION"], fallback: "as each task asks",
            about: "`fresh`: a child of its own for every task, whatever it asks for; `keep:N`: tasks that do not "
                + "choose share a child, N in turn"),
        Setting(
            "worker.soft_time_limit", seconds, environment: ["TASKHOST_SOFT_TIME_LIMIT"], fallback: "none",
            about: "seconds after which a task is asked to stop, unless task or message say otherwise; 0: none"),
        Setting(
            "worker.time_limit", seconds, environment: ["TASKHOST_TIME_LIMIT"], fallback: "none",
            about: "seconds after which a task is killed, likewise; 0: none"),
        Setting(
            "worker.memory_limit", .integer(0...16_777_216), environment: ["TASKHOST_MEMORY_LIMIT"], fallback: "none",
            about: "MiB that a task's processes may have resident together, unless the task says otherwise; 0: no "
                + "limit"),
        Setting(
            "worker.max_memory_per_child", .integer(1...4_294_967_295),
            environment: ["TASKHOST_MAX_MEMORY_PER_CHILD"], fallback: "none",
            about: "KiB resident above which a kept child is replaced after its task (Celery's name and unit)"),
        Setting(
            "worker.grace", seconds, environment: ["TASKHOST_GRACE"], fallback: "30",
            about: "seconds that running tasks get to finish after the first TERM"),
        Setting(
            "worker.soft_shutdown_timeout", seconds, environment: ["TASKHOST_SOFT_SHUTDOWN_TIMEOUT"], fallback: "0",
            about: "seconds that they get after QUIT, or a second TERM or INT (Celery's worker_soft_shutdown_timeout)"),
        Setting(
            "worker.remap_sigterm", .choice(["sigterm", "sigquit"]), environment: ["REMAP_SIGTERM"],
            fallback: "sigterm", about: "`sigquit`: TERM acts as QUIT, and revoked tasks are sent QUIT"),
        Setting(
            "worker.prefetch_multiplier", .integer(1...10_000), environment: ["TASKHOST_PREFETCH_MULTIPLIER"],
            fallback: "up to 256 messages",
            about: "at most so many messages per slot wait in our hands; less when tasks are slow, so that priorities "
                + "hold"),
        Setting(
            "worker.stall_after", seconds, environment: ["TASKHOST_STALL_AFTER"], fallback: "30",
            about: "seconds that messages may be ready and slots free with none delivered, until that is told; after "
                + "as long again we consume anew; 0: not watched"),
        Setting("worker.acks_late", .flag, fallback: "true", about: "acknowledge when the outcome is recorded"),
        Setting(
            "worker.acks_on_failure", .flag, fallback: "true",
            about: "with acks_late: acknowledge a message whose task failed; false: it goes to the dead letters"),
        Setting(
            "worker.acks_on_timeout", .flag, fallback: "true",
            about: "with acks_late: acknowledge a message whose task was killed at its time limit; false: it is "
                + "started again, as often as max_starts allows"),
        Setting(
            "worker.reject_on_worker_lost", .flag, fallback: "true",
            about: "start a message again whose child died; false: as max_starts = 1"),
        Setting(
            "worker.deduplicate_successful_tasks", .flag, fallback: "true",
            about: "with acks_late: a message that is delivered again and has succeeded already is not run again"),
        Setting("worker.track_started", .flag, fallback: "false", about: "store state STARTED"),
        Setting("worker.ignore_result", .flag, fallback: "false", about: "store no results"),
        Setting(
            "worker.inherit_parent_priority", .flag, fallback: "false",
            about: "what follows a task has its priority, unless it names one (Celery's task_inherit_parent_priority)"),
        Setting(
            "worker.max_starts", .integer(1...1000), fallback: "3",
            about: "starts that end in a crash before a message is dead-lettered"),
        Setting(
            "worker.task_events", .flag, environment: ["TASKHOST_TASK_EVENTS"], fallback: "false",
            about: "send events of tasks to monitors from the start (Celery's worker_send_task_events)"),
        Setting(
            "worker.heartbeat", seconds, environment: ["TASKHOST_HEARTBEAT"], fallback: "2",
            about: "seconds between the events that say we are alive; 0: no events of the worker itself"),
        Setting(
            "worker.pidfile", .text, environment: ["TASKHOST_PIDFILE"], fallback: "none", about: "file for our pid"),
        Setting(
            "worker.socket", .text, environment: ["TASKHOST_SOCKET"], fallback: "in the user's run directory",
            about: "path of the socket for remote control on this machine; `none`: without"),
        Setting(
            "worker.state_file", .text, environment: ["TASKHOST_STATE_FILE"], fallback: "none",
            about: "file that keeps revocations and paused queues between runs; one for each worker"),
    ]

    private static let sharedLimits = [
        Setting(
            "shared_limits.url", .text, environment: ["TASKHOST_SHARED_LIMITS"], fallback: "see above",
            about: "redis(s)://, redis+socket:// or sqlite: address"),
        Setting(
            "shared_limits.url_file", .text, environment: ["TASKHOST_SHARED_LIMITS_FILE"], fallback: "–",
            about: "file that holds the address, for secrets"),
    ]

    private static let control = [
        Setting(
            "control.exchange", .text, fallback: "celery",
            about: "Celery's control_exchange, part of the names that commands and replies go by"),
        Setting(
            "control.read_only", .flag, fallback: "false",
            about: "remote control may look at this worker, and change nothing"),
        Setting(
            "control.require_signed", .flag, fallback: "false",
            about: "only commands signed with a certificate of security.cert_store may change this worker"),
    ]

    private static let metrics = [
        Setting(
            "metrics.port", .integer(0...65535), environment: ["TASKHOST_METRICS_PORT"], fallback: "none",
            about: "port of /metrics, /livez and /readyz; 0: a free one, which the log tells"),
        Setting(
            "metrics.host", .text, environment: ["TASKHOST_METRICS_HOST"], fallback: "127.0.0.1",
            about: "IPv4 address to listen at"),
    ]

    private static let traces = [
        Setting(
            "traces.endpoint", .text, environment: ["TASKHOST_TRACES", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"],
            fallback: "none", about: "where spans of runs go: OTLP over HTTP, e.g. http://localhost:4318/v1/traces"),
        Setting(
            "traces.sample_ratio", .number(0...1), environment: ["TASKHOST_TRACES_SAMPLE_RATIO"], fallback: "1",
            about: "part of the runs recorded whose messages belong to no trace; the others go by their sender"),
        Setting(
            "traces.service_name", .text, environment: ["TASKHOST_TRACES_SERVICE_NAME", "OTEL_SERVICE_NAME"],
            fallback: "taskhost", about: "`service.name` of the spans"),
        Setting(
            "traces.headers_file", .text, environment: ["TASKHOST_TRACES_HEADERS_FILE"], fallback: "none",
            about: "file with headers of the requests, one `Name: value` a line, for collectors that want a key"),
    ]

    private static let log = [
        Setting(
            "log.level", .choice(["debug", "info", "warning", "error", "critical"]),
            environment: ["TASKHOST_LOG_LEVEL"], fallback: "info", about: "least important lines to write"),
        Setting(
            "log.format", .choice(["human", "json"]), environment: ["TASKHOST_LOG_FORMAT"],
            fallback: "human on a terminal, else json", about: "JSON: one object per line"),
        Setting(
            "log.file", .text, environment: ["TASKHOST_LOG_FILE"], fallback: "standard error", about: "appended to"),
    ]

    private static let limits = [
        Setting(
            "limits.max_body_bytes", .integer(1024...16_777_216), fallback: "1048576",
            about: "longest message body accepted"),
        Setting(
            "limits.max_depth", .integer(4...512), fallback: "32", about: "deepest nesting of a body accepted"),
        Setting(
            "limits.max_nodes", .integer(16...1_000_000), fallback: "100000",
            about: "most JSON values in a body"),
        Setting(
            "limits.max_header_depth", .integer(2...32), fallback: "8", about: "deepest nesting of headers accepted"),
        Setting(
            "limits.max_header_fields", .integer(32...10_000), fallback: "1000",
            about: "most header values, nested ones included"),
        Setting(
            "limits.max_header_bytes", .integer(1024...122_880), fallback: "65536",
            about: "most bytes of all header names and texts"),
    ]

    private static let wire = [
        Setting(
            "wire.accept_content", .texts, environment: ["TASKHOST_ACCEPT_CONTENT"], fallback: "json",
            about: "serializers of messages taken: `json`, `msgpack`, `yaml`, `auth` (signed; what is in it may be any "
                + "of the others)"),
        Setting(
            "wire.task_serializer", .choice(["json", "msgpack", "yaml", "auth"]), fallback: "as the message came",
            about: "of continuations, and of what tasks send"),
        Setting(
            "wire.task_compression", .choice(["zlib", "bzip2", "lzma", "brotli", "zstd"]),
            fallback: "as the message came", about: "likewise"),
    ]

    private static let security = [
        Setting(
            "security.cert_store", .text, fallback: "none",
            about: "folder, or pattern, of the PEM certificates whose signatures are believed"),
        Setting("security.key", .text, fallback: "none", about: "PEM file of our RSA key, to sign with"),
        Setting(
            "security.key_password_file", .text, fallback: "none", about: "file that holds the key's password"),
        Setting("security.certificate", .text, fallback: "none", about: "PEM file of the certificate of our key"),
        Setting(
            "security.digest", .choice(["sha256", "sha224", "sha384", "sha512"]), fallback: "sha256",
            about: "hash of the signatures"),
    ]

    private static let queues = [
        Setting(
            "queues.*.type", .choice(["classic", "quorum"]), fallback: "as it is, else classic",
            about: "queue type, when we are the first to declare it"),
        Setting("queues.*.max_priority", .integer(1...255), fallback: "none", about: "`x-max-priority`"),
        Setting(
            "queues.*.exchange", .text, fallback: "the queue's name",
            about: "exchange it is bound to, likewise; with RabbitMQ only"),
        Setting(
            "queues.*.exchange_type", .choice(["direct", "topic", "fanout", "headers"]), fallback: "direct",
            about: "type of that exchange (`task_default_exchange_type`): topic, where clients let RabbitMQ delay"),
        Setting(
            "queues.*.routing_key", .text, fallback: "the queue's name",
            about: "key of that binding, and of delayed messages"),
        Setting(
            "queues.*.dead_letter_exchange", .text, fallback: "none",
            about: "`x-dead-letter-exchange`: rejected messages go there, by the broker"),
        Setting("queues.*.arguments", .arguments, fallback: "{}", about: "further arguments of the declaration"),
    ]

    private static let routes = [
        Setting("routes.*.queue", .text, fallback: "none", about: "where such tasks are sent"),
        Setting(
            "routes.*.exchange", .text, fallback: "none",
            about: "in place of a queue, with `routing_key`; declared by somebody else"),
        Setting("routes.*.routing_key", .text, fallback: "none", about: "of messages to that exchange"),
    ]

    private static let tasks = [
        Setting("tasks.*.soft_time_limit", seconds, fallback: "bundle's", about: "seconds; 0: none"),
        Setting("tasks.*.time_limit", seconds, fallback: "bundle's", about: "seconds; 0: none"),
        Setting(
            "tasks.*.max_retries", .integer(-1...1_000_000), fallback: "bundle's",
            about: "attempts after the first; -1: no bound"),
        Setting("tasks.*.retry_delay", seconds, fallback: "bundle's", about: "before a retry that names no countdown"),
        Setting(
            "tasks.*.retry_backoff", seconds, fallback: "bundle's",
            about: "the delay doubles from here with each retry; failures are retried by themselves"),
        Setting("tasks.*.retry_backoff_max", seconds, fallback: "bundle's", about: "bound of that delay"),
        Setting("tasks.*.retry_jitter", .flag, fallback: "bundle's", about: "a random part of that delay only"),
        Setting("tasks.*.autoretry", .flag, fallback: "bundle's", about: "retry every failure"),
        Setting("tasks.*.acks_late", .flag, fallback: "bundle's", about: "as worker.acks_late"),
        Setting("tasks.*.acks_on_failure", .flag, fallback: "bundle's", about: "as worker.acks_on_failure"),
        Setting("tasks.*.acks_on_timeout", .flag, fallback: "bundle's", about: "as worker.acks_on_timeout"),
        Setting("tasks.*.reject_on_worker_lost", .flag, fallback: "bundle's", about: "as worker.reject_on_worker_lost"),
        Setting("tasks.*.track_started", .flag, fallback: "bundle's", about: "as worker.track_started"),
        Setting("tasks.*.ignore_result", .flag, fallback: "bundle's", about: "as worker.ignore_result"),
        Setting("tasks.*.max_starts", .integer(1...1000), fallback: "bundle's", about: "as worker.max_starts"),
        Setting(
            "tasks.*.keep", .integer(0...1_000_000), fallback: "bundle's",
            about: "one child serves so many in turn; 0: a fresh child for each"),
        Setting(
            "tasks.*.memory_limit", .integer(0...16_777_216), fallback: "bundle's", about: "as worker.memory_limit"),
        Setting(
            "tasks.*.rate_limit", .text, fallback: "bundle's", about: "starts in a time: `10/s`, `100/m`, `1000/h`"),
        Setting("tasks.*.max_concurrent", .integer(1...1_000_000), fallback: "none", about: "so many run at a time"),
        Setting(
            "tasks.*.limit_scope", .choice(["worker", "global"]), fallback: "worker",
            about: "whose tasks these two limits count: this worker's, or those of all workers (see shared_limits)"),
        Setting(
            "tasks.*.limit_key", .text, fallback: "none",
            about: "they count for each value of this argument: its name, or position from 0; `url:domain`: by the "
                + "host in that URL"),
    ]

    private static let schedules = [
        Setting("schedules.*.task", .text, fallback: "–", about: "name of the task to send"),
        Setting("schedules.*.enabled", .flag, fallback: "true", about: "false: not sent, whoever declares it"),
        Setting("schedules.*.cron", .text, fallback: "none", about: "`minute hour day-of-month month day-of-week`"),
        Setting("schedules.*.every", .seconds(0.001...3_153_600_000), fallback: "none", about: "seconds between runs"),
        Setting("schedules.*.relative", .flag, fallback: "false", about: "`every` goes by round times of the clock"),
        Setting(
            "schedules.*.at", .text, fallback: "none", about: "once, at this time (ISO 8601; without offset: local)"),
        Setting(
            "schedules.*.solar",
            .choice(Solar.Event.allCases.map(\.rawValue)), fallback: "none", about: "what the sun does at a place"),
        Setting(
            "schedules.*.latitude", .number(-90...90), fallback: "–",
            about: "of that place, in degrees; south is below 0"),
        Setting("schedules.*.longitude", .number(-180...180), fallback: "–", about: "west is below 0"),
        Setting(
            "schedules.*.timezone", .text, fallback: "UTC", about: "name of a time zone, or `local`; for all of these"),
        Setting("schedules.*.args", .list, fallback: "[]", about: "arguments"),
        Setting("schedules.*.kwargs", .arguments, fallback: "{}", about: "keyword arguments"),
        Setting(
            "schedules.*.queue", .text, fallback: "by the routes, else celery", about: "queue to send it to"),
        Setting("schedules.*.priority", .integer(0...255), fallback: "0", about: "a higher one is run first"),
        Setting(
            "schedules.*.expires", .seconds(0.001...3_153_600_000), fallback: "none",
            about: "seconds after sending from which it is not to be run any more"),
        Setting(
            "schedules.*.missed", .choice(["skip", "once", "all"]), fallback: "once",
            about: "what becomes of due times while nobody could send: none, one or each is made up for"),
    ]

    private static let hooks = [
        Setting(
            "hooks.*.on", .texts, fallback: "–",
            about: "occasions: `failure`, `retry`, `crash`, `dead_letter`, `time_limit`, `revoked`, `success`"),
        Setting(
            "hooks.*.tasks", .texts, fallback: "all", about: "only of these tasks: names, with `*` for any text"),
        Setting("hooks.*.command", .texts, fallback: "none", about: "program and arguments; no shell"),
        Setting("hooks.*.url", .text, fallback: "none", about: "http:// or https:// address to POST to"),
        Setting(
            "hooks.*.secret_file", .text, fallback: "none", about: "of a POST: file that holds the key of its signature"
        ),
        Setting("hooks.*.task", .text, fallback: "none", about: "name of a task to send"),
        Setting("hooks.*.queue", .text, fallback: "by the routes, else celery", about: "queue to send that task to"),
        Setting(
            "hooks.*.timeout", .seconds(0.1...3600), fallback: "10",
            about: "seconds a command or a POST may take"),
        Setting("hooks.*.retries", .integer(0...20), fallback: "3", about: "of a POST, after the first attempt"),
        Setting(
            "hooks.*.environment", .texts, fallback: "none",
            about: "variables a command sees, beside PATH, LANG, TZ and HOME"),
    ]
}
