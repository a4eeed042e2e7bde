// All the checks of `taskhost doctor`, one after the other. Changes nothing at broker or store.
import Foundation
import Loop
import Ports
import RabbitMQ
import Redis
import Runner
import SQLite
import TaskModel

final class Doctor {
    private let configuration: Configuration
    private let builder: ConfigurationBuilder
    private let environment: [String: String]
    private let tools: String?
    private let loop: EpollLoop
    private var findings: [Finding] = []
    /// Of the bundles that load.
    private var manifests: [BundleManifest] = []
    private var tasks: [TaskManifest] { manifests.flatMap(\.tasks) }
    private var settings: SettingsLayer { builder.settings }

    /// A person waits: what has not answered by then counts as unreachable.
    private static let patience = 15.0

    /// - Parameter tools: rabbitmqctl, to be asked for what AMQP does not tell.
    init(
        _ builder: ConfigurationBuilder, environment: [String: String], tools: String?
    ) throws(CommandFailure) {
        configuration = try builder.build()
        self.builder = builder
        self.environment = environment
        self.tools = tools
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
    }

    func report() -> DoctorReport {
        findings += SystemCheck.findings(slots: configuration.autoscale?.most ?? configuration.concurrency)
        bundles()
        if let ceiling = MemoryCeiling.read() {
            findings += MemoryCheck(configuration: configuration, tasks: tasks, ceiling: ceiling).findings()
        }
        findings += LimitCheck(configuration: configuration, tasks: tasks).scopes()
        findings += ScheduleCheck(manifests: manifests, builder: builder).findings()
        places()
        broker()
        results()
        hooks()
        return DoctorReport(settings: EffectiveSettings.list(settings, resolved), findings: findings)
    }

    /// Defaults that are rules, worked out.
    private var resolved: [String: String] {
        var made = [
            "worker.concurrency": "\(configuration.concurrency)", "worker.hostname": configuration.nodeName,
            "results.url": Self.address(of: configuration.results),
            "shared_limits.url": Self.address(of: configuration.sharedLimits),
        ]
        do {
            made["worker.plugins"] = try Installation(environment: environment).pluginFolder
            if case .embedded(let url) = configuration.broker { made["broker.url"] = "\(try SQLiteAddress(url: url))" }
        } catch {
            // Told by the checks of bundles and broker.
            return made
        }
        return made
    }

    private static func address(of results: ResultsAddress) -> String {
        switch results {
        case .none: "none"
        case .rpc: "rpc://"
        case .redis(let url), .embedded(let url): withoutSecrets(url)
        }
    }

    private static func address(of limits: SharedLimitsAddress) -> String {
        switch limits {
        case .none: "none"
        case .redis(let url), .embedded(let url): withoutSecrets(url)
        }
    }

    // ---- bundles ----

    private func bundles() {
        do {
            let installation = try Installation(environment: environment)
            let folders = configuration.plugins ?? [installation.pluginFolder]
            let inspector = try BundleInspector(
                loop: loop,
                options: configuration.runnerOptions(
                    runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
            ) { _, _ in }
            let files = try PluginCheck.bundles(in: folders, by: inspector)
            if files.isEmpty { throw PluginCheck.noBundles(in: folders, sdk: installation.sdk) }
            findings.append(.ok("plugins", "\(folders.joined(separator: ", ")): nobody else can put code there"))
            inspect(files, inspector)
        } catch let failure as CommandFailure {
            let isWhole = failure.fix != nil
            findings.append(
                isWhole
                    ? .fail("plugins", failure.message, fix: failure.fix)
                    : .fail("plugins", sentences: failure.message))
        } catch {
            findings.append(.fail("plugins", sentences: "\(error)"))
        }
    }

    private func inspect(_ files: [String], _ inspector: BundleInspector) {
        var reports: [BundleReport]?
        inspector.inspect(files) { reports = $0 }
        guard loop.run(until: { reports != nil }, timeoutSeconds: Self.patience + 30) else {
            findings.append(.fail("bundles", "they take too long to load", fix: "see which with `taskhost bundles`"))
            return
        }
        for report in reports ?? [] {
            let name = "bundle " + (report.path.split(separator: "/").last.map(String.init) ?? report.path)
            if case .refused(let sentence) = report.status {
                findings.append(.fail(name, sentence, fix: "build it anew, or take it out of the folder"))
            } else {
                if let manifest = report.manifest { manifests.append(manifest) }
                findings.append(.ok(name, "loads and offers \(report.manifest?.tasks.count ?? 0) tasks"))
            }
        }
    }

    // ---- files ----

    private func places() {
        if let path = configuration.pidfile { findings.append(PlaceCheck.newFile(path, subject: "pid file")) }
        if let path = configuration.stateFile {
            findings.append(PlaceCheck.replacedFile(path, subject: "state file"))
        }
        if let path = settings.text("log.file") { findings.append(PlaceCheck.newFile(path, subject: "log file")) }
        for name in [
            "broker.url_file", "results.url_file", "shared_limits.url_file",
            "security.key", "security.key_password_file",
        ] {
            if let path = settings.text(name), let finding = PlaceCheck.secret(path, subject: name) {
                findings.append(finding)
            }
        }
        for name in ["broker.url", "results.url", "broker.management_url", "shared_limits.url"] {
            // "taskhost.toml:3:1"
            guard let set = settings[name], case .text(let url) = set.value, withoutSecrets(url) != url,
                let file = set.origin.split(separator: ":").first.map(String.init), file.hasSuffix(".toml"),
                let finding = PlaceCheck.secret(file, subject: "settings")
            else { continue }
            findings.append(finding)
        }
    }

    // ---- broker ----

    private func broker() {
        switch configuration.broker {
        case .embedded(let url): file(url, subject: "broker")
        case .amqp(let urls): rabbitMQ(urls)
        case .redis(let url): redis(url, isBroker: true)
        }
    }

    private func rabbitMQ(_ urls: [String]) {
        var addresses: [RabbitMQAddress] = []
        for url in urls {
            do {
                addresses.append(try RabbitMQAddress(parsing: url))
            } catch {
                return findings.append(.fail("broker", "\(withoutSecrets(url)): \(error.detail)", fix: nil))
            }
        }
        let broker = RabbitMQBroker(addresses: addresses, loop: loop) { _, _ in }
        var answer: Result<RabbitMQExamination, BrokerFailure>?
        broker.examine(queues: configuration.queues.entries.map(\.name)) { answer = $0 }
        guard loop.run(until: { answer != nil }, timeoutSeconds: Self.patience), let answer else {
            return findings.append(.fail("broker", "\(broker.description) does not answer", fix: Self.brokerFix))
        }
        switch answer {
        case .failure(let failure):
            findings.append(.fail("broker", failure.detail, fix: failure.fix ?? Self.brokerFix))
        case .success(let examination):
            findings.append(.ok("broker", "RabbitMQ \(examination.version) at \(broker.description)"))
            examined(examination, vhost: addresses[0].vhost)
        }
    }

    private func examined(_ examination: RabbitMQExamination, vhost: String) {
        let tool = tools.map { RabbitMQTools(command: $0, vhost: vhost) }
        let policies = policies(examination.queues.map(\.name), vhost: vhost, tool)
        let queues = QueueCheck(configuration: configuration, examination: examination, policies: policies)
        let limits = LimitCheck(configuration: configuration, tasks: tasks)
        let own = queues.consumerTimeouts
        do throws(PolicyFailure) {
            guard let tool else { throw PolicyFailure(detail: "neither AMQP nor the management API tells it") }
            findings += limits.findings(consumerTimeout: try tool.consumerTimeout(), isKnown: true)
        } catch {
            findings.append(
                .note(
                    "broker", "consumer_timeout is unknown: \(error.detail)",
                    fix: "let doctor ask RabbitMQ's own tool on that machine: --rabbitmqctl rabbitmqctl"))
            if own.count < examination.queues.count {
                findings += limits.findings(consumerTimeout: Self.usualConsumerTimeout, isKnown: false)
            }
        }
        findings += limits.findings(queues: own)
        findings += queues.findings()
        if let sample = clock(vhost: vhost, tool) {
            findings.append(
                ClockCheck.finding(
                    ahead: sample.ahead, uncertainty: sample.uncertainty, place: "RabbitMQ",
                    harm: "if it is ours that is wrong, eta and expires are off by as much"))
        }
    }

    /// The management API is the quicker one; nil: nobody tells.
    private func clock(vhost: String, _ tool: RabbitMQTools?) -> ClockSample? {
        if let url = configuration.management, let sample = RabbitMQManagement(url: url, vhost: vhost).clock() {
            return sample
        }
        do throws(PolicyFailure) {
            return try tool?.clock()
        } catch {
            findings.append(
                .note(
                    "clock", "RabbitMQ's is unknown: \(error.detail)",
                    fix: "set management_url in [broker], or see that --rabbitmqctl works"))
            return nil
        }
    }

    /// nil: unknown, and said so.
    private func policies(_ queues: [String], vhost: String, _ tool: RabbitMQTools?) -> [String: RabbitMQPolicy]? {
        do throws(PolicyFailure) {
            if let tool { return try tool.policies() }
            guard let url = configuration.management else { throw PolicyFailure(detail: "AMQP does not tell them") }
            return try RabbitMQManagement(url: url, vhost: vhost).policies(of: queues)
        } catch {
            findings.append(
                .note(
                    "broker", "policies are unknown: \(error.detail)",
                    fix: "set management_url in [broker], or use --rabbitmqctl on that machine"))
            return nil
        }
    }

    /// RabbitMQ's default, from 3.8.17 on.
    private static let usualConsumerTimeout = 1800.0
    private static let brokerFix = "start it, or name another with --broker (or CELERY_BROKER_URL)"

    // ---- results ----

    private func results() {
        switch (configuration.results, configuration.broker) {
        case (.none, _): findings.append(.ok("results", "none are kept"))
        case (.rpc, _): findings.append(.ok("results", "go back to the callers, over the broker"))
        case (.redis(let url), .redis(let other)) where url == other:
            findings.append(.ok("results", "are kept by the broker's Redis"))
        case (.embedded(let url), .embedded(let other)) where url == other:
            findings.append(.ok("results", "are kept in the broker's file"))
        case (.redis(let url), _): redis(url, isBroker: false)
        case (.embedded(let url), _): file(url, subject: "results")
        }
    }

    private func hooks() {
        for hook in configuration.hooks {
            do throws(CommandFailure) {
                _ = try hook.hook(environment: environment)
                findings.append(.ok("hook \(hook.name)", "what it needs is there"))
            } catch {
                findings.append(.fail("hook \(hook.name)", error.message, fix: error.fix))
            }
            if case .post(_, let file?) = hook.action,
                let finding = PlaceCheck.secret(file, subject: "hook \(hook.name)")
            {
                findings.append(finding)
            }
        }
    }

    // ---- Redis and files, as either ----

    private func redis(_ url: String, isBroker: Bool) {
        let subject = isBroker ? "broker" : "results"
        do throws(StoreFailure) {
            let address = try RedisAddress(url: url)
            var answer: Result<RedisExamination, StoreFailure>?
            RedisExamination.run(at: address, loop: loop) { answer = $0 }
            guard loop.run(until: { answer != nil }, timeoutSeconds: Self.patience), let answer else {
                throw StoreFailure("\(address) does not answer", fix: "check that Redis runs there")
            }
            let check = RedisCheck(examination: try answer.get(), isBroker: isBroker, place: "\(address)")
            findings += check.findings()
            if address.tls?.verifies == false {
                findings.append(
                    .warn(
                        subject, "anybody may pass for \(address): its certificate is not checked",
                        fix: "name its authority by ssl_ca_certs, and leave ssl_cert_reqs=none out"))
            }
        } catch {
            findings.append(.fail(subject, error.detail, fix: error.fix))
        }
    }

    private func file(_ url: String, subject: String) {
        let address: SQLiteAddress
        do {
            address = try SQLiteAddress(url: url)
        } catch {
            return findings.append(.fail(subject, error.detail, fix: error.fix))
        }
        let place = PlaceCheck.database(address.path, subject: subject)
        // One that is not there is not made for the sake of looking.
        guard place.level != .fail, FileManager.default.fileExists(atPath: address.path) else {
            return findings.append(place)
        }
        let trial = FileTrial(SQLiteBroker(file: SQLiteFile(address: address, loop: loop)))
        let isOver = loop.run(until: { trial.isOver }, timeoutSeconds: Self.patience)
        if let failure = trial.failure
            ?? (isOver ? nil : BrokerFailure(.unreachable, "\(address.path) cannot be opened"))
        {
            findings.append(.fail(subject, failure.detail, fix: failure.fix))
        } else {
            findings.append(place)
        }
        var isClosed = false
        trial.broker.close { isClosed = true }
        loop.run(until: { isClosed }, timeoutSeconds: Self.patience)
    }
}

/// Opens the embedded broker's file, and hears whether that works.
private final class FileTrial: BrokerEvents {
    let broker: SQLiteBroker
    private(set) var isOver = false
    private(set) var failure: BrokerFailure?

    init(_ broker: SQLiteBroker) {
        self.broker = broker
        broker.connect(events: self)
    }

    func linkUp() { isOver = true }
    func linkDown(reason: String, retryInSeconds: Double) { fatal(BrokerFailure(.unreachable, reason)) }
    func fatal(_ failure: BrokerFailure) {
        self.failure = failure
        isOver = true
    }
    func delivered(_ delivery: Delivery) {}
    func blocked(_ reason: String?) {}
    func consumerCancelled(queue: String) {}
}
