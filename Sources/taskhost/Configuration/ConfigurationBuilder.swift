import CeleryWire
import Control
import Foundation
import Ports
import TaskModel

/// Turns the merged settings into a `Configuration`.
struct ConfigurationBuilder {
    var settings: SettingsLayer
    var hostName: String
    var processors: Int

    /// Reads file and environment and lays the flags over them.
    init(flags: SettingsLayer, file: String?, environment: [String: String]) throws(CommandFailure) {
        settings = try ConfigurationFiles.read(named: file, environment: environment)
        settings.overlay(try EnvironmentReader.read(environment))
        settings.overlay(flags)
        hostName = ProcessInfo.processInfo.hostName
        processors = ProcessInfo.processInfo.activeProcessorCount
    }

    init(settings: SettingsLayer, hostName: String, processors: Int) {
        self.settings = settings
        self.hostName = hostName
        self.processors = processors
    }

    func build() throws(CommandFailure) -> Configuration {
        let brokerURL = try address("broker")
        let broker = try BrokerAddress(url: brokerURL?.url, origin: brokerURL?.origin ?? "default")
        let resultsURL = try address("results")
        let results = try ResultsAddress(
            url: resultsURL?.url, origin: resultsURL?.origin ?? "default", broker: broker)
        var made = Configuration(
            broker: broker, results: results,
            queues: try QueueList(
                settings.texts("worker.queues") ?? ["celery"], origin: origin("worker.queues")),
            concurrency: settings.integer("worker.concurrency") ?? max(1, processors),
            nodeName: NodeName.complete(
                NodeName.expand(settings.text("worker.hostname") ?? "celery@%h", hostName: hostName)))
        try fillWorker(&made)
        try fillManagement(&made)
        fillStores(&made)
        made.traces = try traces()
        made.limits = limits()
        try fillWire(&made)
        try fillControl(&made)
        for name in settings.names(under: "queues") { made.declarations[name] = declaration(name) }
        made.routes = try routes()
        for name in settings.names(under: "tasks") { made.tasks[name] = try taskOptions(name) }
        let limitsURL = try address("shared_limits")
        made.sharedLimits = try SharedLimitsAddress(
            url: limitsURL?.url, origin: limitsURL?.origin ?? "default", broker: broker, results: results)
        try checkScopes(made)
        made.schedules = try schedules()
        made.hooks = try hooks()
        return made
    }

    private func fillWorker(_ made: inout Configuration) throws(CommandFailure) {
        made.plugins = settings.texts("worker.plugins")
        made.environmentForBundles = settings.texts("worker.environment") ?? []
        if let text = settings.text("worker.isolation") {
            made.isolation = try Isolation(text, origin: origin("worker.isolation"))
        }
        made.softTimeLimit = settings.seconds("worker.soft_time_limit").flatMap { $0 > 0 ? $0 : nil }
        made.timeLimit = settings.seconds("worker.time_limit").flatMap { $0 > 0 ? $0 : nil }
        if let soft = made.softTimeLimit, let hard = made.timeLimit, soft >= hard {
            throw .configuration(
                "\(origin("worker.soft_time_limit")): the soft limit (\(soft.plain) s) is not below the hard one (\(hard.plain) s)",
                fix: "leave the task time to clean up: a soft limit some seconds below")
        }
        made.memoryLimit = settings.integer("worker.memory_limit").flatMap { $0 > 0 ? $0 : nil }
        made.maxMemoryPerChildKiB = settings.integer("worker.max_memory_per_child").map { UInt32($0) }
        made.grace = settings.seconds("worker.grace") ?? made.grace
        made.stallAfter = settings.seconds("worker.stall_after") ?? made.stallAfter
        made.softShutdown = settings.seconds("worker.soft_shutdown_timeout") ?? made.softShutdown
        made.treatsTermAsQuit = settings.text("worker.remap_sigterm") == "sigquit"
        if let text = settings.text("worker.autoscale") {
            made.autoscale = try SlotRange(text, origin: origin("worker.autoscale"))
        }
        made.autoscaleKeep = settings.seconds("worker.autoscale_keepalive") ?? made.autoscaleKeep
        made.allowsPoolRestart = settings.flag("worker.pool_restarts") ?? false
        made.prefetchMultiplier = settings.integer("worker.prefetch_multiplier")
        made.acksLate = settings.flag("worker.acks_late") ?? made.acksLate
        made.acksOnFailure = settings.flag("worker.acks_on_failure") ?? made.acksOnFailure
        made.acksOnTimeout = settings.flag("worker.acks_on_timeout") ?? made.acksOnTimeout
        made.rejectOnWorkerLost = settings.flag("worker.reject_on_worker_lost") ?? made.rejectOnWorkerLost
        made.deduplicatesSuccessful =
            settings.flag("worker.deduplicate_successful_tasks") ?? made.deduplicatesSuccessful
        made.trackStarted = settings.flag("worker.track_started") ?? made.trackStarted
        made.ignoreResult = settings.flag("worker.ignore_result") ?? made.ignoreResult
        made.inheritsPriority = settings.flag("worker.inherit_parent_priority") ?? made.inheritsPriority
        made.maxStarts = settings.integer("worker.max_starts") ?? made.maxStarts
        made.sendsTaskEvents = settings.flag("worker.task_events") ?? false
        if let seconds = settings.seconds("worker.heartbeat") { made.heartbeat = seconds > 0 ? seconds : nil }
        made.metricsPort = settings.integer("metrics.port").map { UInt16($0) }
        made.metricsHost = settings.text("metrics.host") ?? made.metricsHost
        made.pidfile = settings.text("worker.pidfile").map { NodeName.expand($0, hostName: hostName) }
        made.socket = settings.text("worker.socket").map { NodeName.expand($0, hostName: hostName) }
        made.stateFile = settings.text("worker.state_file").map { NodeName.expand($0, hostName: hostName) }
    }

    private func fillManagement(_ made: inout Configuration) throws(CommandFailure) {
        made.management = settings.text("broker.management_url")
        guard let url = made.management, !url.hasPrefix("http://"), !url.hasPrefix("https://") else { return }
        throw .configuration(
            "\(origin("broker.management_url")): no address \"\(withoutSecrets(url))\"",
            fix: "write http://USER:PASSWORD@HOST:15672")
    }

    private func fillStores(_ made: inout Configuration) {
        made.delayQueueKind = kind("broker.delay_queue_type") ?? made.delayQueueKind
        made.deadQueueKind = kind("broker.dead_queue_type") ?? made.deadQueueKind
        if let seconds = settings.seconds("results.expires") { made.resultExpires = seconds > 0 ? seconds : nil }
        made.resultExtended = settings.flag("results.extended") ?? false
        made.storeErrorsEvenIfIgnored = settings.flag("results.store_errors_even_if_ignored") ?? false
        made.redisKeyPrefix = settings.text("results.key_prefix")
        made.resultSerializer = settings.text("results.serializer").flatMap(ContentType.named) ?? made.resultSerializer
        made.resultCompression = settings.text("results.compression").flatMap(Compression.named)
    }

    private func fillWire(_ made: inout Configuration) throws(CommandFailure) {
        made.acceptContent = settings.texts("wire.accept_content") ?? made.acceptContent
        for name in made.acceptContent where ContentType.named(name).map({ $0 == .pickle }) ?? true {
            let isPickle = ContentType.named(name) == .pickle
            throw .configuration(
                "\(origin("wire.accept_content")): \(isPickle ? "pickle is never read" : "no serializer \"\(name)\"")",
                fix: isPickle
                    ? "let the clients set task_serializer to json, msgpack or yaml"
                    : "write json, msgpack, yaml or auth")
        }
        made.taskSerializer = settings.text("wire.task_serializer").flatMap(ContentType.named)
        made.taskCompression = settings.text("wire.task_compression").flatMap(Compression.named)
        made.security.certificateStore = settings.text("security.cert_store")
        made.security.key = settings.text("security.key")
        made.security.certificate = settings.text("security.certificate")
        made.security.digest = settings.text("security.digest") ?? made.security.digest
        if let path = settings.text("security.key_password_file") {
            made.security.keyPassword = try SecretFile.read(path, origin: origin("security.key_password_file"))
        }
        let takesSigned = made.acceptContent.contains { ContentType.named($0) == .auth }
        if takesSigned, made.security.certificateStore == nil {
            throw .configuration(
                "\(origin("wire.accept_content")): signed messages are accepted, and nothing says whose",
                fix: "set cert_store in [security]")
        }
    }

    private func fillControl(_ made: inout Configuration) throws(CommandFailure) {
        made.controlExchange = settings.text("control.exchange") ?? made.controlExchange
        made.controlPolicy.isReadOnly = settings.flag("control.read_only") ?? false
        made.controlPolicy.requiresSigned = settings.flag("control.require_signed") ?? false
        if made.controlPolicy.requiresSigned, made.security.certificateStore == nil {
            throw .configuration(
                "\(origin("control.require_signed")): commands must be signed, and nothing says by whom",
                fix: "set cert_store in [security]")
        }
    }

    private func kind(_ path: String) -> QueueDeclaration.Kind? {
        settings.text(path).flatMap(QueueDeclaration.Kind.init(rawValue:))
    }

    private func limits() -> WireLimits {
        func bound(_ key: String, _ standard: Int) -> Int { settings.integer("limits.\(key)") ?? standard }
        let standard = WireLimits.standard
        return WireLimits(
            maxBodyBytes: bound("max_body_bytes", standard.maxBodyBytes),
            maxDepth: bound("max_depth", standard.maxDepth),
            maxNodes: bound("max_nodes", standard.maxNodes),
            maxHeaderDepth: bound("max_header_depth", standard.maxHeaderDepth),
            maxHeaderFields: bound("max_header_fields", standard.maxHeaderFields),
            maxHeaderBytes: bound("max_header_bytes", standard.maxHeaderBytes))
    }

    /// The address, or the first line of the file that holds it.
    private func address(_ table: String) throws(CommandFailure) -> (url: String, origin: String)? {
        let direct = settings["\(table).url"]
        let file = settings["\(table).url_file"]
        switch (direct?.value, file?.value) {
        case (.text?, .text?):
            throw .configuration(
                "\(direct?.origin ?? table) and \(file?.origin ?? table) both say where the \(table) is",
                fix: "keep one of them")
        case (.text(let url)?, _):
            return (url, direct?.origin ?? table)
        case (_, .text(let path)?):
            let origin = file?.origin ?? table
            return (try SecretFile.read(path, origin: origin), origin)
        default:
            return nil
        }
    }

    private func declaration(_ name: String) -> QueueDeclaration {
        func value(_ key: String) -> SettingValue? { settings[["queues", name, key]]?.value }
        var made = QueueDeclaration(name: name, isExplicit: true)
        if case .text(let kind)? = value("type") { made.kind = QueueDeclaration.Kind(rawValue: kind) }
        if case .integer(let most)? = value("max_priority") { made.maxPriority = most }
        if case .arguments(let table)? = value("arguments") { made.arguments = table }
        if case .text(let exchange)? = value("exchange") { made.exchange = exchange }
        if case .text(let type)? = value("exchange_type") { made.exchangeType = type }
        if case .text(let key)? = value("routing_key") { made.routingKey = key }
        if case .text(let exchange)? = value("dead_letter_exchange") {
            made.arguments["x-dead-letter-exchange"] = .string(exchange)
        }
        return made
    }

    private func taskOptions(_ name: String) throws(CommandFailure) -> TaskOptions {
        func seconds(_ key: String) -> Double? {
            if case .seconds(let value)? = settings[["tasks", name, key]]?.value { value } else { nil }
        }
        func integer(_ key: String) -> Int? {
            if case .integer(let value)? = settings[["tasks", name, key]]?.value { value } else { nil }
        }
        func flag(_ key: String) -> Bool? {
            if case .flag(let value)? = settings[["tasks", name, key]]?.value { value } else { nil }
        }
        var made = TaskOptions()
        made.softLimit = seconds("soft_time_limit")
        made.hardLimit = seconds("time_limit")
        made.maxRetries = integer("max_retries").map { $0 < 0 ? .unlimited : .atMost($0) }
        made.retryDelay = seconds("retry_delay")
        made.retryBackoff = seconds("retry_backoff")
        made.retryBackoffMax = seconds("retry_backoff_max")
        made.retryJitter = flag("retry_jitter")
        made.autoretry = flag("autoretry")
        made.acksLate = flag("acks_late")
        made.acksOnFailure = flag("acks_on_failure")
        made.acksOnTimeout = flag("acks_on_timeout")
        made.rejectOnWorkerLost = flag("reject_on_worker_lost")
        made.trackStarted = flag("track_started")
        made.ignoreResult = flag("ignore_result")
        made.maxStarts = integer("max_starts")
        made.keep = integer("keep")
        made.memoryLimit = integer("memory_limit")
        try fillLimits(of: name, &made)
        return made
    }

    private func origin(_ path: String) -> String { settings[path]?.origin ?? "default" }
}
