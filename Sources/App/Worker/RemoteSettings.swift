// What `conf` and `report` tell of the configuration: by Celery's names, so that its tools and monitors find them.
import CeleryWire
import Configuration
import Output
import Ports
import Settings
import TaskModel
import TaskhostJSON
import Transports

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

    /// Of tasks: those whose defaults are shown.
    private let options: [any TaskOptionRow]

    init(
        _ configuration: Configuration, _ surroundings: Surroundings, heartbeat: JSON?,
        options: [any TaskOptionRow] = TaskOptionTable.rows
    ) {
        self.options = options
        self.configuration = configuration
        self.surroundings = surroundings
        self.heartbeat = heartbeat
    }

    /// Address of the result store, for `report` as well.
    var results: String {
        configuration.results == .none ? "disabled" : configuration.results.redacted(mask: Self.mask)
    }

    /// Whatever holds now, set or not; with `withDefaults` also what is left open.
    func members(withDefaults: Bool) -> [JSONMember] {
        let all = connections + worker + tasks + content + security
        return all.filter { withDefaults || !$0.1.isNull }.map { JSONMember(key: $0.0, value: $0.1) }
    }

    private var connections: [(String, JSON)] {
        [
            ("broker_url", .string(configuration.broker.redacted(mask: Self.mask))),
            ("broker_heartbeat", heartbeat ?? 0), ("result_backend", .string(results)),
            ("result_expires", seconds(configuration[Settings.results.expires])),
            ("result_extended", .bool(configuration[Settings.results.extended])),
        ]
    }

    private var worker: [(String, JSON)] {
        let range = configuration.autoscale
        return [
            ("include", .array(surroundings.folders.map { .string($0) })),
            ("worker_concurrency", .int(Int64(range?.max ?? configuration.concurrency))),
            (
                "worker_prefetch_multiplier",
                configuration[Settings.worker.prefetchMultiplier].map { .int(Int64($0)) } ?? nil
            ),
            ("worker_max_tasks_per_child", tasksPerChild),
            (
                "worker_max_memory_per_child",
                configuration[Settings.worker.maxMemoryPerChild].map { .int(Int64($0)) } ?? nil
            ),
            ("worker_soft_shutdown_timeout", seconds(configuration[Settings.worker.softShutdownTimeout])),
            ("worker_pool_restarts", .bool(configuration[Settings.worker.poolRestarts])),
            ("worker_send_task_events", .bool(configuration[Settings.worker.taskEvents])),
            ("worker_log_color", .bool(surroundings.coloursLog)),
            // There is no logger of anybody else's in this process.
            ("worker_hijack_root_logger", false),
            ("worker_enable_remote_control", true),
            ("control_exchange", .string(configuration[Settings.control.exchange])),
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
        let defaults = options.compactMap { row in
            row.worker?.celery.map { ($0, row.standing(in: configuration.taskDefaults).map(\.json) ?? .null) }
        }
        return defaults + [
            ("worker_deduplicate_successful_tasks", .bool(configuration[Settings.worker.deduplicateSuccessfulTasks])),
            ("task_inherit_parent_priority", .bool(configuration[Settings.worker.inheritParentPriority])),
            ("task_store_errors_even_if_ignored", .bool(configuration[Settings.results.storeErrorsEvenIfIgnored])),
        ]
    }

    private var content: [(String, JSON)] {
        [
            ("accept_content", .array(configuration[Settings.wire.acceptContent].map { .string($0) })),
            ("task_serializer", text(configuration[Settings.wire.taskSerializer]?.name)),
            ("task_compression", text(name(configuration[Settings.wire.taskCompression]))),
            ("result_serializer", text(configuration[Settings.results.serializer].name)),
            ("result_compression", text(name(configuration[Settings.results.compression]))),
        ]
    }

    private var security: [(String, JSON)] {
        let (key, store) = (configuration[Settings.security.key], configuration[Settings.security.certStore])
        let digest = configuration[Settings.security.digest]
        return [
            ("security_key", key.map { _ in .string(Self.mask) } ?? nil),
            ("security_key_password", configuration.keyPassword.map { _ in .string(Self.mask) } ?? nil),
            ("security_certificate", text(configuration[Settings.security.certificate])),
            ("security_cert_store", text(store)),
            ("security_digest", store == nil && key == nil ? nil : .string(digest)),
        ]
    }

    private func seconds(_ value: Double?) -> JSON { value.map { .double($0) } ?? nil }
    /// Kombu's.
    private func name(_ compression: Compression?) -> String? { compression == .xz ? "lzma" : compression?.rawValue }
    private func text(_ value: String?) -> JSON { value.map { .string($0) } ?? nil }
}
