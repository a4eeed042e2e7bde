// What `conf` and `report` tell of the configuration: by Celery's names, so that its tools and monitors find them.
import CeleryWire
import Ports
import TaskhostJSON

struct RemoteSettings {
    /// What the configuration alone doesn't know.
    struct Surroundings {
        /// Where bundles are looked for.
        var folders: [String]
        var coloursLog: Bool
    }

    private let configuration: Configuration
    private let surroundings: Surroundings
    /// Seconds, as the broker's connection has it; nil: it has none.
    private let heartbeat: JSON?

    /// Celery's, for whole secrets and for passwords in addresses.
    private static let mask = "********"

    init(_ configuration: Configuration, _ surroundings: Surroundings, heartbeat: JSON?) {
        self.configuration = configuration
        self.surroundings = surroundings
        self.heartbeat = heartbeat
    }

    /// Address of the result store, for `report` as well.
    var results: String {
        switch configuration.results {
        case .none: "disabled"
        case .rpc: "rpc://"
        case .redis(let url), .embedded(let url): withoutSecrets(url, mask: Self.mask)
        }
    }

    private var broker: String {
        switch configuration.broker {
        case .amqp(let urls): urls.map { withoutSecrets($0, mask: Self.mask) }.joined(separator: ";")
        case .embedded(let url), .redis(let url): withoutSecrets(url, mask: Self.mask)
        }
    }

    /// Whatever holds now, set or not; with `withDefaults` also what is left open.
    func members(withDefaults: Bool) -> [JSONMember] {
        let all = connections + worker + tasks + content + security
        return all.filter { withDefaults || !$0.1.isNull }.map { JSONMember(key: $0.0, value: $0.1) }
    }

    private var connections: [(String, JSON)] {
        [
            ("broker_url", .string(broker)), ("broker_heartbeat", heartbeat ?? 0),
            ("result_backend", .string(results)), ("result_expires", seconds(configuration.resultExpires)),
            ("result_extended", .bool(configuration.resultExtended)),
        ]
    }

    private var worker: [(String, JSON)] {
        let range = configuration.autoscale
        return [
            ("include", .array(surroundings.folders.map { .string($0) })),
            ("worker_concurrency", .int(Int64(range?.most ?? configuration.concurrency))),
            ("worker_prefetch_multiplier", configuration.prefetchMultiplier.map { .int(Int64($0)) } ?? nil),
            ("worker_max_tasks_per_child", tasksPerChild),
            ("worker_max_memory_per_child", configuration.maxMemoryPerChildKiB.map { .int(Int64($0)) } ?? nil),
            ("worker_soft_shutdown_timeout", seconds(configuration.softShutdown)),
            ("worker_pool_restarts", .bool(configuration.allowsPoolRestart)),
            ("worker_send_task_events", .bool(configuration.sendsTaskEvents)),
            ("worker_log_color", .bool(surroundings.coloursLog)),
            // There is no logger of anybody else's in this process.
            ("worker_hijack_root_logger", false),
            ("worker_enable_remote_control", true),
            ("control_exchange", .string(configuration.controlExchange)),
            // Times on the wire are in UTC; schedules have time zones of their own.
            ("enable_utc", true), ("timezone", "UTC"),
            // Names of settings that are on their way out; there are none.
            ("deprecated_settings", []),
        ]
    }

    private var tasksPerChild: JSON {
        switch configuration.isolation {
        case .asTasksAsk: nil
        case .alwaysFresh: 1
        case .keep(let count): .int(Int64(count))
        }
    }

    private var tasks: [(String, JSON)] {
        [
            ("task_acks_late", .bool(configuration.acksLate)),
            ("task_acks_on_failure", .bool(configuration.acksOnFailure)),
            ("task_acks_on_timeout", .bool(configuration.acksOnTimeout)),
            ("task_reject_on_worker_lost", .bool(configuration.rejectOnWorkerLost)),
            ("worker_deduplicate_successful_tasks", .bool(configuration.deduplicatesSuccessful)),
            ("task_track_started", .bool(configuration.trackStarted)),
            ("task_ignore_result", .bool(configuration.ignoreResult)),
            ("task_inherit_parent_priority", .bool(configuration.inheritsPriority)),
            ("task_store_errors_even_if_ignored", .bool(configuration.storeErrorsEvenIfIgnored)),
            ("task_soft_time_limit", seconds(configuration.softTimeLimit)),
            ("task_time_limit", seconds(configuration.timeLimit)),
        ]
    }

    private var content: [(String, JSON)] {
        [
            ("accept_content", .array(configuration.acceptContent.map { .string($0) })),
            ("task_serializer", text(configuration.taskSerializer?.name)),
            ("task_compression", text(name(configuration.taskCompression))),
            ("result_serializer", text(configuration.resultSerializer.name)),
            ("result_compression", text(name(configuration.resultCompression))),
        ]
    }

    private var security: [(String, JSON)] {
        let files = configuration.security
        return [
            ("security_key", files.key.map { _ in .string(Self.mask) } ?? nil),
            ("security_key_password", files.keyPassword.map { _ in .string(Self.mask) } ?? nil),
            ("security_certificate", text(files.certificate)),
            ("security_cert_store", text(files.certificateStore)),
            ("security_digest", files.certificateStore == nil && files.key == nil ? nil : .string(files.digest)),
        ]
    }

    private func seconds(_ value: Double?) -> JSON { value.map { .double($0) } ?? nil }
    /// Kombu's.
    private func name(_ compression: Compression?) -> String? { compression == .xz ? "lzma" : compression?.rawValue }
    private func text(_ value: String?) -> JSON { value.map { .string($0) } ?? nil }
}
