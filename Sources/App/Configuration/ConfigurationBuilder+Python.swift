// The settings of a Celery app, below those of file, environment and options.
import Linux
import Output
import PythonApp
import Settings

extension ConfigurationBuilder {
    /// Asks the app that is named, if one is, and puts what it says under what is set.
    mutating func takeApp(environment: [String: String]) throws(CommandFailure) {
        let keys = Settings.python
        guard let name = settings[keys.app] else { return }
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
        try app.describe(environment: environment)
        var whole = app.settings
        Self.giveWay(&whole, to: settings)
        whole.overlay(settings)
        settings = whole
        // Who names another place here wants the results there.
        let ours = settings.origin(Settings.results.url)
        app.storesResults = app.storesResults && ours == app.settings.origin(Settings.results.url)
        python = app
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
