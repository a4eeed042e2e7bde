import ArgumentParser
import Doctor
import Linux
import Output
import Settings

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Show every setting with its origin, and look for what is wrong.",
        discussion: """
            Takes the worker's options: put doctor in place of worker. Nothing is changed at the broker, no task is \
            run. Findings are ok, note, warn or fail. Exit status: 2 when something fails.

            AMQP tells neither RabbitMQ's consumer_timeout nor its policies. On its machine, name its command: \
            --rabbitmqctl rabbitmqctl. Policies can also be read by [broker] management_url.
            """)

    @Option(
        help: ArgumentHelp("RabbitMQ's own command, for what AMQP does not tell.", valueName: "command"))
    var rabbitmqctl: String?

    @Flag(help: "Print one JSON object: settings, checks, and how many of each level.")
    var json = false

    @OptionGroup(title: "Worker") var worker: WorkerOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Log") var logging: LoggingOptions

    func run() throws {
        var flags = try worker.flags()
        flags.overlay(try logging.flags())
        let builder = try connection.settings(flags)
        let doctor = try Doctor(
            builder, environment: ThisProcess.environment, tools: rabbitmqctl)
        let report = doctor.report()
        if json { Console.out(report.json) } else { Console.out(report.text) }
        if report.hasFailures { throw ExitCode(ExitStatus.unhealthy.rawValue) }
    }
}
