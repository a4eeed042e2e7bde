import ArgumentParser
import Beat
import Canvas
import CeleryWire
import Configuration
import Glibc
import Linux
import Logging
import Loop
import Output
import Ports
import Settings
import TaskModel
import TaskhostJSON
import Worker

struct BeatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beat", abstract: "Send the tasks of [schedules.NAME] and of bundles when they are due.",
        discussion: """
            Any number of these may run, on any number of machines, beside workers with -B: one of them sends, and \
            another goes on within 10 s of its death.
            """,
        subcommands: [BeatRunCommand.self, BeatNextCommand.self], defaultSubcommand: BeatRunCommand.self)

    /// The operator's schedules and those of the bundles in the plugins folders; none is an error, unless all that
    /// there are have been switched off.
    static func tasks(
        _ builder: ConfigurationBuilder, _ configuration: Configuration
    ) throws -> [ScheduledTask] {
        let manifests = try BundleLook.manifests(configuration, environment: ThisProcess.environment)
        if let orphan = BundleSchedules.orphans(manifests, under: builder).first.map(BundleSchedules.orphan) {
            throw CommandFailure.configuration(orphan.sentence, fix: orphan.fix)
        }
        for clash in BundleSchedules.clashes(manifests) { Console.note("taskhost: \(clash.sentence)") }
        let tasks = try BundleSchedules.tasks(of: manifests, under: builder)
        guard tasks.isEmpty, configuration.disabledSchedules.isEmpty else { return tasks }
        throw CommandFailure.configuration(
            "there are no schedules",
            fix:
                "write [schedules.NAME] with task, and cron, every, at or solar, into taskhost.toml, or name the folder "
                + "of bundles that have some with --plugins")
    }
}

struct BeatOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder with bundles whose schedules are sent, too; may be repeated. Default: the installation's own.",
            valueName: "folder"))
    var plugins: [String] = []

    func flags() -> SettingsLayer {
        var layer = SettingsLayer()
        if !plugins.isEmpty { layer.set(Settings.worker.plugins, .texts(plugins), origin: "--plugins") }
        return layer
    }
}

struct BeatRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Send what is due, until TERM or INT.")

    @OptionGroup(title: "Beat") var beat: BeatOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Log") var logging: LoggingOptions

    func run() throws {
        var flags = beat.flags()
        flags.overlay(try logging.flags())
        let builder = try connection.settings(flags)
        let configuration = try builder.build()
        let tasks = try BeatCommand.tasks(builder, configuration)
        let log = try LogSetup(builder.settings, file: builder.logFile()).logger(environment: ThisProcess.environment)
        if tasks.isEmpty { log.warning("beat: all schedules are switched off (enabled = false); nothing is sent") }
        let status = try BeatRun(tasks, configuration, log: log).run()
        if status != .success { throw ExitCode(status.rawValue) }
    }
}

struct BeatNextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next", abstract: "Show what is due next, each time in its schedule's zone.",
        discussion: "First the next run of each schedule, then those that follow, of all schedules.")

    @Option(help: ArgumentHelp("How many runs to show; at least one of each schedule is.", valueName: "number"))
    var count = 10

    @Flag(help: "Print one JSON object per run.")
    var json = false

    @OptionGroup(title: "Beat") var beat: BeatOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count must be from 1 to 10000") }
    }

    func run() throws {
        let builder = try connection.settings(beat.flags())
        let tasks = try BeatCommand.tasks(builder, try builder.build())
        for line in BeatForecast(tasks, from: LogTime.now()).lines(count, asJSON: json) {
            Console.out(line)
        }
    }
}
