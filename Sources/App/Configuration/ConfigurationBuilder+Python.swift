// The settings of a Celery app, below those of file, environment and options.
import Linux
import Output
import PythonApp
import Runner
import Settings

extension ConfigurationBuilder {
    /// Asks the app that is named, if one is, and puts what it says under what is set.
    /// - Returns: who imported it, and can run its tasks.
    mutating func takeApp(environment: [String: String], startsZygote: Bool) throws(CommandFailure) -> EarlyZygote? {
        let keys = Settings.python
        guard let name = settings[keys.app] else { return nil }
        let folder = Files.absolute(settings[keys.folder] ?? ".")
        guard Files.isFolder(folder) else {
            throw .configuration(
                "\(settings.origin(keys.folder)): there is no folder \(folder)", fix: "name the app's folder")
        }
        let installation = try Installation(environment: environment)
        var app = PythonApp(
            name: name,
            executable: try Interpreter.find(named: settings[keys.executable], environment: environment),
            folder: Files.resolved(folder),
            package: installation.pythonPackage, bundle: installation.pythonBundle,
            importSeconds: settings[keys.importTimeout])
        var early: EarlyZygote?
        if startsZygote {
            let options = try importOptions(installation)
            try app.describe(environment: environment) { app in
                early = Self.start(app, environment: environment, options)
                return early.flatMap { Self.hear($0, app) }
            }
        } else {
            try app.describe(environment: environment)
        }
        var whole = app.settings
        Self.giveWay(&whole, to: settings)
        whole.overlay(settings)
        settings = whole
        // Who names another place here wants the results there.
        let ours = settings.origin(Settings.results.url)
        app.storesResults = app.storesResults && ours == app.settings.origin(Settings.results.url)
        python = app
        return early
    }

    /// What confines a zygote is no affair of the app.
    private func importOptions(_ installation: Installation) throws(CommandFailure) -> RunnerOptions {
        var made = RunnerOptions(runnerPath: try installation.runnerPath(), pluginFolders: [], slots: 1)
        made.confinement = try sandbox()
        made.trustsAnybody = settings[Settings.sandbox.trustPlugins]
        return made
    }

    /// nil: it cannot be; the pool will say why.
    private static func start(
        _ app: PythonApp, environment: [String: String], _ options: RunnerOptions
    ) -> EarlyZygote? {
        var seen = app.environment(environment)
        seen[PythonApp.talkVariable] = String(EarlyZygote.descriptor)
        let bundle = NamedBundle(path: app.bundle, environment: seen, loadTimeoutSeconds: app.importSeconds)
        do throws(RunnerFailure) {
            return try EarlyZygote(bundle, options: options)
        } catch {
            return nil
        }
    }

    /// nil: it has nothing to say, and has been ended.
    private static func hear(_ early: EarlyZygote, _ app: PythonApp) -> LimitedCommand.Outcome? {
        let ending: LimitedCommand.Ending? =
            switch early.listen(seconds: app.importSeconds, mostBytes: PythonApp.mostBytes) {
            case .told: .over(status: 0)
            case .tooSlow: .tooSlow
            case .tooMuch: .tooMuch
            case .silent: nil
            }
        if ending != .over(status: 0) { early.end() }
        return ending.map {
            LimitedCommand.Outcome(
                ending: $0, document: early.document, said: String(decoding: early.said, as: UTF8.self))
        }
    }

    /// What says one thing in several keys: who names one of them here does not want the app's beside it.
    private static func giveWay(_ app: inout SettingsLayer, to settings: SettingsLayer) {
        let ways: [(table: String, keys: [String])] = [
            ("schedules", ["cron", "every", "at", "solar", "relative", "latitude", "longitude"]),
            ("routes", ["queue", "exchange", "routing_key"]),
            ("tasks", ["isolation", "keep"]),
        ]
        for (table, keys) in ways {
            for name in app.names(under: table) where keys.contains(where: { settings[[table, name, $0]] != nil }) {
                for key in keys { app.unset([table, name, key]) }
            }
        }
        // The soft limit of the app belongs to the hard one of the app.
        if settings["worker.time_limit"] != nil, settings["worker.soft_time_limit"] == nil {
            app.unset(["worker", "soft_time_limit"])
        }
    }
}
