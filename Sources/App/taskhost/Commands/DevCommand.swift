import ArgumentParser
import Configuration
import Linux
import Onboarding
import Output
import Settings

struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Build and serve the bundle in this folder, again after each change of its sources.",
        discussion: """
            In a folder that `taskhost new` has made, or any with a Makefile that leaves bundles in `build`; with -A: \
            a Celery app. Messages and results lie in .taskhost/, without a server. While it runs, other commands typed \
            in this folder mean what runs here, and `taskhost call` waits for its result. Ctrl-C ends it.
            """)

    @Option(help: ArgumentHelp("Command that builds. Default: make, where there is a Makefile.", valueName: "command"))
    var build: String?

    @Option(help: ArgumentHelp("Folder where it leaves bundles (*.so); may be repeated.", valueName: "folder"))
    var plugins: [String] = []

    @Option(
        name: [.customShort("Q"), .long],
        help: ArgumentHelp("Queues to serve. Default: celery.", valueName: "names"))
    var queues: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Tasks run at a time. Default: the CPUs.", valueName: "number"))
    var concurrency: Int?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("debug, info, warning, error or critical.", valueName: "level"))
    var loglevel: String?

    @Flag(name: [.customShort("B"), .long], help: "Send the tasks of schedules, too.")
    var beat = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run() throws {
        try connection.app.enterFolder()
        let app = try appName()
        let makes = Files.exists("Makefile")
        guard app != nil || makes || build != nil || !plugins.isEmpty else {
            throw CommandFailure(
                .usage, "there is nothing to build or serve here: no Makefile, no tasks.py",
                fix: "taskhost new demo && cd demo; or name a Celery app with -A, a folder of bundles with --plugins, "
                    + "a command with --build")
        }
        let folders = plugins.isEmpty && app == nil ? ["build"] : plugins
        // Python takes bytecode for current while second and size of the source are the same: a change that comes a moment
        // after the start would not be seen.
        let variables = ["PYTHONDONTWRITEBYTECODE": "1"]
        let environment = ThisProcess.environment.merging(variables) { $1 }
        let installation = try Installation(environment: environment)
        let folder = try DevFolder(
            broker: connection.broker, results: connection.resultBackend, plugins: folders)
        defer { folder.leave() }
        let usesMake = makes && app == nil && plugins.isEmpty
        var order = DevLoop.Order(
            build: build ?? (usesMake ? "make" : nil),
            worker: [installation.program] + workerWords(app: app, folders: folders, folder)
        ) {
            let configuration = try ConfigurationBuilder(
                flags: flags(app: app, folders: folders), file: connection.config, environment: environment
            ).build()
            let options = configuration.runnerOptions(
                runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
            return (options, folders)
        }
        order.variables = ["TASKHOST_SDK": installation.sdk, "TASKHOST": installation.program]
        // Who mends a task wants the new version, whatever it does.
        order.workerVariables = variables.merging(["TASKHOST_TRIAL": "0"]) { $1 }
        order.reloadsByHangup = app != nil
        try DevLoop(order).run()
    }

    /// The one of -A; in a folder without a Makefile that has a tasks.py, that.
    private func appName() throws -> String? {
        if let app = connection.app.app { return app }
        return !Files.exists("Makefile") && build == nil && plugins.isEmpty && Files.exists("tasks.py") ? "tasks" : nil
    }

    private func flags(app: String?, folders: [String]) -> SettingsLayer {
        var layer = connection.app.flags()
        if let app { layer.set(Settings.python.app, .text(app), origin: "--app") }
        if !folders.isEmpty { layer.set(Settings.worker.plugins, .texts(folders), origin: "--plugins") }
        return layer
    }

    private func workerWords(app: String?, folders: [String], _ folder: DevFolder) -> [String] {
        // For people, also where the output is a file.
        var words = ["worker", "--log-format", "human"]
        func add(_ option: String, _ value: String?) { if let value { words += [option, value] } }
        add("-A", app)
        add("--python", connection.app.python)
        for folder in folders { words += ["--plugins", folder] }
        add("--config", connection.config)
        // Who names a file is told nothing by .taskhost.
        if connection.config != nil {
            add("--broker", folder.broker)
            add("--result-backend", folder.results)
        }
        add("--queues", queues)
        add("--concurrency", concurrency.map(String.init))
        add("--loglevel", loglevel)
        if beat { words.append("--beat") }
        return words
    }
}
