import ArgumentParser
import Configuration
import Glibc
import Linux
import Output
import Settings
import Worker

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Serve queues: take messages, run their tasks, record what came of them.",
        discussion: """
            SIGNALS
              TERM  take no more, finish what runs within --grace, requeue the rest
              INT   the same, with exit status 1
              QUIT, or a second TERM or INT
                    stop now: everything is requeued;
                    with soft_shutdown_timeout running tasks get that long first
              HUP   look at the plugins folders again, import the app of -A anew, reopen the log file

            Under systemd (Type=notify) READY=1 is sent when bundles are loaded, queues are consumed and remote \
            control is subscribed; WATCHDOG=1 twice per WatchdogSec.
            """)

    @OptionGroup(title: "Worker") var worker: WorkerOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Log") var logging: LoggingOptions

    func run() throws {
        var flags = try worker.flags()
        flags.overlay(try logging.flags())
        let builder = try connection.settings(flags, startsZygote: true)
        let environment = ThisProcess.environment
        let configuration = try builder.build()
        let log = try LogSetup(builder.settings, file: builder.logFile())
        let status = try WorkerRun(
            configuration: configuration, log: log, environment: environment, schedules: worker.beat ? builder : nil,
            early: builder.early
        ).run()
        if status != .success { throw ExitCode(status.rawValue) }
    }
}
