import CeleryWire
import Control
import Linux
package import Output
import Ports
package import PythonApp
package import Runner
package import Settings
import TaskModel

/// Turns the merged settings into a `Configuration`.
package struct ConfigurationBuilder {
    package var settings: SettingsLayer
    package var hostName: String
    var processors: Int
    var openTelemetry = OpenTelemetryVariables([:])
    /// The app whose settings lie below the others; nil: none is named.
    package var python: PythonApp?
    /// Has imported the app, and is to run its tasks.
    package private(set) var early: EarlyZygote?

    /// Reads file, environment and what a dev in this folder says, lays the flags over them, and puts the settings of
    /// the app they name below.
    /// - Parameter startsZygote: for a worker: the app is imported by the process that its tasks are to run in.
    package init(
        flags: SettingsLayer, file: String?, environment: [String: String], startsZygote: Bool = false
    ) throws(CommandFailure) {
        settings = try CommandFailure.reading { () throws(SettingsFailure) in
            var read = try ConfigurationFiles.read(named: file, environment: environment)
            read.overlay(try EnvironmentReader.read(environment))
            if file == nil { try DevSettings.overlay(on: &read) }
            return read
        }
        settings.overlay(flags)
        openTelemetry = OpenTelemetryVariables(environment)
        hostName = ThisProcess.hostName
        processors = ProcessorShare.read().count
        early = try takeApp(environment: environment, startsZygote: startsZygote)
    }

    package init(settings: SettingsLayer, hostName: String, processors: Int) {
        self.settings = settings
        self.hostName = hostName
        self.processors = processors
    }

    private func nodeName() throws(CommandFailure) -> String {
        let name = NodeName.complete(NodeName.expand(settings[Settings.worker.hostname], hostName: hostName))
        if let problem = NodeName.problem(with: name) {
            throw .configuration(
                "\(settings.origin(Settings.worker.hostname)): \(problem)", fix: "choose another name: -n worker1@%h")
        }
        return name
    }

    /// With the node's name in it, as in those of other files. It is opened before all else is known to be right.
    package func logFile() throws(CommandFailure) -> String? {
        let name = try nodeName()
        return settings[Settings.log.file].map { NodeName.expand($0, hostName: hostName, nodeName: name) }
    }

    package func build() throws(CommandFailure) -> Configuration {
        let addresses = try addresses()
        var made = Configuration(
            settings: settings, broker: addresses.broker, results: addresses.results,
            queues: try QueueList(
                settings[Settings.worker.queues], origin: settings.origin(Settings.worker.queues)),
            concurrency: settings[Settings.worker.concurrency] ?? max(1, processors),
            nodeName: try nodeName())
        try fillWorker(&made)
        try checkManagement()
        made.traces = try traces()
        made.sandbox = try sandbox()
        try checkWire()
        if let path = settings[Settings.security.keyPasswordFile] {
            let origin = settings.origin(Settings.security.keyPasswordFile)
            made.keyPassword = try CommandFailure.reading { () throws(SettingsFailure) in
                try SecretFile.read(path, origin: origin)
            }
        }
        try checkSignatures(made.controlPolicy)
        for name in settings.names(under: "queues") { made.declarations[name] = declaration(name) }
        made.routes = try routes()
        for name in settings.names(under: "tasks") { made.tasks[name] = try taskOptions(of: name) }
        made.sharedLimits = addresses.limits
        try checkScopes(made)
        made.schedules = try schedules()
        made.disabledSchedules = disabledSchedules()
        made.hooks = try hooks()
        made.python = python
        return made
    }

    private func fillWorker(_ made: inout Configuration) throws(CommandFailure) {
        if let text = settings[Settings.worker.isolation] {
            made.isolation = try Isolation(text, origin: settings.origin(Settings.worker.isolation))
        }
        made.taskDefaults = settings.taskDefaults()
        if let soft = made.taskDefaults.softLimit, let hard = made.taskDefaults.hardLimit, soft >= hard {
            throw .configuration(
                "\(settings["worker.soft_time_limit"]?.origin ?? "default"): the soft limit (\(soft.plain) s) is not below the hard one (\(hard.plain) s)",
                fix: "leave the task time to clean up: a soft limit some seconds below")
        }
        if let text = settings[Settings.worker.autoscale] {
            made.autoscale = try SlotRange(text, origin: settings.origin(Settings.worker.autoscale))
        }
        made.trials = try TrialOptions(settings)
        func expanded(_ key: Key<String?>) -> String? {
            settings[key].map { NodeName.expand($0, hostName: hostName, nodeName: made.nodeName) }
        }
        made.pidfile = expanded(Settings.worker.pidfile)
        made.socket = expanded(Settings.worker.socket)
        made.stateFile = expanded(Settings.worker.stateFile)
    }

    private func checkManagement() throws(CommandFailure) {
        let key = Settings.broker.managementURL
        guard let url = settings[key], !url.hasPrefix("http://"), !url.hasPrefix("https://") else { return }
        throw .configuration(
            "\(settings.origin(key)): no address \"\(ConnectionURL.redacted(url))\"",
            fix: "write http://USER:PASSWORD@HOST:15672")
    }

    private func checkWire() throws(CommandFailure) {
        let key = Settings.wire.acceptContent
        for name in settings[key] where ContentType.named(name).map({ $0 == .pickle }) ?? true {
            let isPickle = ContentType.named(name) == .pickle
            throw .configuration(
                "\(settings.origin(key)): \(isPickle ? "pickle is never read" : "no serializer \"\(name)\"")",
                fix: isPickle
                    ? "let the clients set task_serializer to json, msgpack or yaml"
                    : "write json, msgpack, yaml or auth")
        }
    }

    private func checkSignatures(_ policy: ControlPolicy) throws(CommandFailure) {
        guard settings[Settings.security.certStore] == nil else { return }
        let key = Settings.wire.acceptContent
        if settings[key].contains(where: { ContentType.named($0) == .auth }) {
            throw .configuration(
                "\(settings.origin(key)): signed messages are accepted, and nothing says whose",
                fix: "set cert_store in [security]")
        }
        if policy.requiresSigned {
            let key = policy.requiresFresh ? Settings.control.requireFresh : Settings.control.requireSigned
            throw .configuration(
                "\(settings.origin(key)): commands must be signed, and nothing says by whom",
                fix: "set cert_store in [security]")
        }
    }

    private func declaration(_ name: String) -> QueueDeclaration {
        let keys = Settings.queues
        var made = QueueDeclaration(name: name, kind: settings[keys.type, of: name], isExplicit: true)
        made.maxPriority = settings[keys.maxPriority, of: name]
        made.arguments = settings[keys.arguments, of: name]
        made.exchange = settings[keys.exchange, of: name]
        made.exchangeType = settings[keys.exchangeType, of: name]
        made.routingKey = settings[keys.routingKey, of: name]
        if let exchange = settings[keys.deadLetterExchange, of: name] {
            made.arguments["x-dead-letter-exchange"] = .string(exchange)
        }
        return made
    }
}
