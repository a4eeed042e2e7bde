// `[control]`, `[metrics]`, `[traces]` and `[log]`: what the operator sees of a worker, and may change.
public import Logging

public struct ControlKeys: SettingsSection {
    public let exchange = Key<String>(
        "control.exchange", .text, default: "celery",
        "Celery's control_exchange, part of the names that commands and replies go by")
    public let readOnly = Key<Bool>(
        "control.read_only", .flag, default: false,
        "remote control may look at this worker, and change nothing")
    public let requireSigned = Key<Bool>(
        "control.require_signed", .flag, default: false,
        "only commands signed with a certificate of security.cert_store may change this worker")
    public let requireFresh = Key<Bool>(
        "control.require_fresh", .flag, default: false,
        "and only those that say in what is signed when they were written, which taskhost's do and Celery's do "
            + "not: an old one sent again changes nothing")
}

public struct MetricsKeys: SettingsSection {
    public let port = Key<UInt16?>(
        "metrics.port", .integer(0...65535), environment: ["TASKHOST_METRICS_PORT"], default: nil, shown: "none",
        "port of /metrics, /livez and /readyz; 0: a free one, named in the log"
    ) { (port: Int) in UInt16(port) }
    public let host = Key<String>(
        "metrics.host", .text, environment: ["TASKHOST_METRICS_HOST"], default: "127.0.0.1",
        "IPv4 address to listen at")
}

public struct TracesKeys: SettingsSection {
    public let endpoint = Key<String?>(
        "traces.endpoint", .text, environment: ["TASKHOST_TRACES", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], default: nil,
        "where spans of runs go: OTLP over HTTP, e.g. http://localhost:4318/v1/traces")
    public let sampleRatio = Key<Double>(
        "traces.sample_ratio", .number(0...1), environment: ["TASKHOST_TRACES_SAMPLE_RATIO"], default: 1,
        "part of the runs recorded whose messages belong to no trace; the others go by their sender")
    public let serviceName = Key<String>(
        "traces.service_name", .text, environment: ["TASKHOST_TRACES_SERVICE_NAME", "OTEL_SERVICE_NAME"],
        default: "taskhost",
        "`service.name` of the spans")
    public let headersFile = Key<String?>(
        "traces.headers_file", .text, environment: ["TASKHOST_TRACES_HEADERS_FILE"], default: nil,
        "file with headers of the requests, one `Name: value` a line, for collectors that want a key")
    public let propagate = Key<[String]>(
        "traces.propagate", .texts, environment: ["TASKHOST_TRACES_PROPAGATE"], default: ["baggage", "sentry-trace"],
        "headers that travel on with what follows a task, beside traceparent and tracestate")
}

public struct LogKeys: SettingsSection {
    public let level = Key<Logger.Level>(
        "log.level", among: [.debug, .info, .warning, .error, .critical], environment: ["TASKHOST_LOG_LEVEL"],
        default: .info, "least important lines to write")
    public let format = Key<String?>(
        "log.format", .choice(["human", "json"]), environment: ["TASKHOST_LOG_FORMAT"], default: nil,
        shown: "human on a terminal, else json",
        "JSON: one object per line")
    public let file = Key<String?>(
        "log.file", .text, environment: ["TASKHOST_LOG_FILE"], default: nil, shown: "standard error",
        "appended to")
}
