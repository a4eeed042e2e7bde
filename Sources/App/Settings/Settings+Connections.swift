// `[broker]`, `[results]` and `[shared_limits]`: the systems outside.
public import CeleryWire
public import TaskModel

public struct BrokerKeys: SettingsSection {
    public let url = Key<String?>(
        "broker.url", .text, environment: ["TASKHOST_BROKER", "CELERY_BROKER_URL"], default: nil, shown: "sqlite:",
        "amqp(s)://, redis(s)://, postgresql:// or sqlite: address; several amqp ones, joined by `;`, in turn")
    public let urlFile = Key<String?>(
        "broker.url_file", .text, environment: ["TASKHOST_BROKER_FILE"], default: nil, shown: "–",
        "file that holds the address, for secrets")
    public let managementURL = Key<String?>(
        "broker.management_url", .text, environment: ["TASKHOST_MANAGEMENT_URL"], default: nil,
        "of RabbitMQ's management API, which `taskhost doctor` asks for policies")
    public let consumerTimeout = Key<Double?>(
        "broker.consumer_timeout", .seconds(), environment: ["TASKHOST_CONSUMER_TIMEOUT"], orNone: 1800,
        "seconds that RabbitMQ lets a message be held, as its rabbitmq.conf has it (AMQP does not tell); 0: "
            + "for ever. Hard limits are compared with it at the start")
    public let delayQueueType = Key<QueueDeclaration.Kind>(
        "broker.delay_queue_type", among: [.quorum, .classic], default: .ofDelayQueues,
        "type of the queues of Celery's delay ladder on RabbitMQ, when we are the first to declare them")
    public let deadQueueType = Key<QueueDeclaration.Kind>(
        "broker.dead_queue_type", among: [.classic, .quorum], default: .ofDeadLetters,
        "type of `<queue>.dead` on RabbitMQ, likewise")
}

public struct ResultsKeys: SettingsSection {
    public let url = Key<String?>(
        "results.url", .text, environment: ["TASKHOST_RESULT_BACKEND", "CELERY_RESULT_BACKEND"], default: nil,
        shown: "see below",
        "rpc://, redis(s)://, redis+socket://, (db+)postgresql://, (db+)mysql://, mongodb://, cache+memcached://, "
            + "sqlite: address, or `none`")
    public let urlFile = Key<String?>(
        "results.url_file", .text, environment: ["TASKHOST_RESULT_BACKEND_FILE"], default: nil, shown: "–",
        "file that holds the address, for secrets")
    public let expires = Key<Double?>(
        "results.expires", .seconds(), orNone: 86_400,
        "seconds until a stored result may be forgotten; 0: never")
    public let extended = Key<Bool>(
        "results.extended", .flag, default: false,
        "results carry name, arguments, worker and queue as well (Celery's result_extended)")
    public let serializer = Key<ContentType>(
        "results.serializer", .choice(["json", "msgpack", "yaml"]), default: .json, shown: "json",
        "of results in Redis and over rpc:// (Celery's result_serializer)"
    ) { (name: String) in .named(name) ?? .json }
    public let compression = Key<Compression?>(
        "results.compression", .choice(["zlib", "bzip2", "lzma", "brotli", "zstd"]), default: nil, shown: "none",
        "of results in Redis (Celery's result_compression)"
    ) { (name: String) in .named(name) }
    public let keyPrefix = Key<String?>(
        "results.key_prefix", .text, default: nil,
        "before every Redis key (Celery's global_keyprefix)")
    public let readers = Key<ResultReaders>(
        "results.readers", among: ResultReaders.allCases, default: .celery57,
        "version of Celery that the clients of a database have, or the oldest of them: up to 5.6 they read nothing but "
            + "pickles")
    public let taskTable = Key<String?>(
        "results.task_table", .text, default: nil, shown: "celery_taskmeta",
        "table of results in a database, perhaps `SCHEMA.NAME` (Celery's database_table_names and "
            + "database_table_schemas)")
    public let groupTable = Key<String?>(
        "results.group_table", .text, default: nil, shown: "celery_tasksetmeta",
        "table of groups in a database, likewise")
    public let storeErrorsEvenIfIgnored = Key<Bool>(
        "results.store_errors_even_if_ignored", .flag, default: false,
        "failures are stored even of tasks whose results are ignored")
}

public struct SharedLimitsKeys: SettingsSection {
    public let url = Key<String?>(
        "shared_limits.url", .text, environment: ["TASKHOST_SHARED_LIMITS"], default: nil, shown: "see above",
        "redis(s)://, redis+socket:// or sqlite: address")
    public let urlFile = Key<String?>(
        "shared_limits.url_file", .text, environment: ["TASKHOST_SHARED_LIMITS_FILE"], default: nil, shown: "–",
        "file that holds the address, for secrets")
}
