// All the checks of `taskhost doctor`, one after the other. Changes nothing at broker or store.
import Beat
package import Configuration
import Loop
package import Output
import Ports
import PythonApp
import Runner
import Settings
import TaskModel
import Transports

package final class Doctor {
    private let configuration: Configuration
    private let builder: ConfigurationBuilder
    private let environment: [String: String]
    private let tools: String?
    private let loop: EpollLoop
    private let systems: Systems
    private var findings: [Finding] = []
    /// Of the bundles that load.
    private var manifests: [BundleManifest] = []
    private var tasks: [TaskManifest] { manifests.flatMap(\.tasks) }
    private var settings: SettingsLayer { builder.settings }

    /// A person waits: what has not answered by then counts as unreachable.
    private static let patience = 15.0

    /// - Parameter tools: rabbitmqctl, to be asked for what AMQP does not tell.
    package init(
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
        systems = Systems(loop: loop, configuration: configuration)
    }

    package func report() -> DoctorReport {
        if let app = configuration.python { findings += AppCheck.findings(app) }
        findings += SystemCheck.findings(slots: configuration.autoscale?.max ?? configuration.concurrency)
        findings.append(.ok("cpus", ProcessorShare.read().text))
        findings.append(SystemCheck.sandbox(configuration.sandbox))
        bundles()
        if let ceiling = MemoryCeiling.read() {
            findings += MemoryCheck(configuration: configuration, tasks: tasks, ceiling: ceiling).findings()
        }
        let check = TaskCheck(configuration: configuration, tasks: tasks)
        findings += check.scopes() + check.strangerFindings()
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
            "results.url": configuration.results.redacted(),
            "shared_limits.url": configuration.sharedLimits.redacted(),
        ]
        do {
            made["worker.plugins"] = try Installation(environment: environment).pluginFolders(configuration)
                .joined(separator: ", ")
            made["broker.url"] = try systems.broker().description
        } catch {
            // Told by the checks of bundles and broker.
            return made
        }
        return made
    }

    // ---- bundles ----

    private func bundles() {
        do {
            let installation = try Installation(environment: environment)
            let folders = installation.pluginFolders(configuration)
            let options = configuration.runnerOptions(
                runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
            let inspector = try BundleInspector(loop: loop, options: options) { _, _ in }
            let files = try PluginCheck.bundles(in: folders, named: options.bundles, by: inspector)
            if files.isEmpty { throw PluginCheck.noBundles(in: folders, sdk: installation.sdk) }
            let named = folders.joined(separator: ", ")
            if !folders.isEmpty {
                findings.append(pluginsFinding(named))
            }
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

    private func pluginsFinding(_ named: String) -> Finding {
        configuration[Settings.sandbox.trustPlugins]
            ? .note("plugins", "\(named): not checked who can put code there ([sandbox] trust_plugins)")
            : .ok("plugins", "\(named): no other user can put code there")
    }

    private func inspect(_ files: [String], _ inspector: BundleInspector) {
        var reports: [BundleReport]?
        inspector.inspect(files) { reports = $0 }
        let importSeconds = configuration.python?.importSeconds ?? 0
        guard loop.run(until: { reports != nil }, timeoutSeconds: Self.patience + 30 + importSeconds) else {
            findings.append(.fail("bundles", "they take too long to load", fix: "see which with `taskhost bundles`"))
            return
        }
        for report in reports ?? [] {
            let name = "bundle " + (report.path.split(separator: "/").last.map(String.init) ?? report.path)
            if case .refused(let sentence) = report.status {
                findings.append(.fail(name, sentence, fix: "rebuild it, or take it out of the folder"))
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
        if let path = settings[Settings.log.file] { findings.append(PlaceCheck.newFile(path, subject: "log file")) }
        for key in [
            Settings.broker.urlFile, Settings.results.urlFile, Settings.sharedLimits.urlFile, Settings.security.key,
            Settings.security.keyPasswordFile,
        ] {
            if let path = settings[key], let finding = PlaceCheck.secret(path, subject: key.setting.name) {
                findings.append(finding)
            }
        }
        for (name, set) in settings.values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            if let finding = PlaceCheck.argument(set, name: name) { findings.append(finding) }
        }
        for key in [
            Settings.broker.url, Settings.results.url, Settings.broker.managementURL, Settings.sharedLimits.url,
            Settings.traces.endpoint,
        ] {
            // "taskhost.toml:3:1"
            guard let set = settings.sourced(key), case .text(let url) = set.value, ConnectionURL.redacted(url) != url,
                let file = set.origin.split(separator: ":").first.map(String.init), file.hasSuffix(".toml"),
                let finding = PlaceCheck.secret(file, subject: "settings")
            else { continue }
            findings.append(finding)
        }
    }

    // ---- outside systems ----

    private func broker() {
        do throws(CommandFailure) {
            examine(try systems.broker(), Self.brokerQuestion(configuration, tasks: tasks, command: tools))
        } catch {
            findings.append(.fail("broker", error.message, fix: error.fix))
        }
    }

    private func results() {
        switch configuration.results {
        case .none: findings.append(.ok("results", "none are kept"))
        case .direct: findings.append(.ok("results", "go back to the callers, over the broker"))
        case .kept(let store) where store.urls == configuration.broker.urls:
            findings.append(.ok("results", "are kept \(store.system.besideBroker)"))
        case .kept(let store):
            do throws(TransportFailure) {
                var question = ExaminationQuestion(.results, tools: .real(command: tools))
                question.results = Systems.kept(configuration)
                examine(try systems.store(store), question)
            } catch {
                findings.append(.fail("results", error.detail, fix: error.fix))
            }
        }
    }

    /// - Parameter command: the broker's own tool.
    static func brokerQuestion(
        _ configuration: Configuration, tasks: [TaskManifest], command: String?
    ) -> ExaminationQuestion {
        var question = ExaminationQuestion(.broker, tools: .real(command: command))
        question.queues = configuration.queues.entries.map { configuration.declaration(of: $0.name) }
        for schedule in configuration.schedules where (schedule.priority ?? 0) > 0 {
            question.prioritySchedules[schedule.queue ?? "celery", default: []].append(schedule.entry.name)
        }
        question.limits = TaskCheck(configuration: configuration, tasks: tasks).timeLimits
        question.consumerTimeout = configuration[Settings.broker.consumerTimeout]
        question.isConsumerTimeoutSet = configuration.settings.sourced(Settings.broker.consumerTimeout) != nil
        question.managementURL = configuration[Settings.broker.managementURL]
        return question
    }

    private func examine(_ transport: any Transport, _ question: ExaminationQuestion) {
        var found: [Finding]?
        transport.examine(question) { found = $0 }
        loop.run(until: { found != nil }, timeoutSeconds: Self.patience)
        findings += found ?? [transport.unanswered(question)]
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
}
