import ArgumentParser
import Beat
import Canvas
import CeleryWire
import Foundation
import Glibc
import Logging
import Loop
import Ports
import TaskModel
import TaskhostJSON

struct BeatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beat", abstract: "Send the tasks of [schedules.NAME] when they are due.",
        discussion: """
            Any number of these may run, on any number of machines, beside workers with -B: one of them sends, and \
            another goes on within 10 s of its death.
            """,
        subcommands: [BeatRunCommand.self, BeatNextCommand.self], defaultSubcommand: BeatRunCommand.self)

    /// The schedules there are; none is an error.
    static func check(_ configuration: Configuration) throws(CommandFailure) {
        guard configuration.schedules.isEmpty else { return }
        throw .configuration(
            "there are no schedules",
            fix: "write [schedules.NAME] with task, and cron, every or at, into taskhost.toml")
    }
}

struct BeatRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Send what is due, until TERM or INT.")

    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Log") var logging: LoggingOptions

    func run() throws {
        let builder = try connection.settings(try logging.flags())
        let configuration = try builder.build()
        try BeatCommand.check(configuration)
        let log = try LogSetup(builder.settings).logger(environment: ProcessInfo.processInfo.environment)
        let status = try BeatRun(configuration, log: log).run()
        if status != .success { throw ExitCode(status.rawValue) }
    }
}

struct BeatNextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next", abstract: "Show what is due next, in local time.")

    @Option(help: ArgumentHelp("So many runs.", valueName: "number"))
    var count = 10

    @Flag(help: "Print one JSON object per run.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count must be from 1 to 10000") }
    }

    func run() throws {
        let configuration = try connection.configuration()
        try BeatCommand.check(configuration)
        for line in BeatForecast(configuration.schedules, from: LogTime.now()).lines(count, asJSON: json) {
            Console.out(line)
        }
    }
}
