import ArgumentParser
import Client
import Control
import TaskhostJSON

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Tell all workers not to run tasks.",
        discussion: """
            Tasks that run already go on, unless --terminate ends them. The state becomes \
            REVOKED when a worker meets the task; workers that start later learn of it from those that know.
            """)

    @Argument(help: ArgumentHelp("Ids of tasks.", valueName: "id"))
    var ids: [String]

    @Flag(help: "End them if they run already.")
    var terminate = false

    @Option(help: ArgumentHelp("The signal that --terminate sends. Default: SIGTERM.", valueName: "name"))
    var signal: String?

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    /// Nobody answers, so nobody else would say that the signal is wrong.
    func validate() throws {
        guard let signal else { return }
        guard terminate else { throw ValidationError("--signal is what --terminate sends: add --terminate") }
        guard SignalName.isKnown(signal) else {
            throw ValidationError("'\(signal)' is no signal for tasks: write SIGKILL, or SIGINT")
        }
    }

    func run() throws {
        let configuration = try connection.configuration()
        let session = try ClientSession(configuration, needsBroker: true, needsStore: false, needsControl: true)
        session.limit(seconds: 10) {
            CommandFailure(.unavailable, "the broker did not take the order within 10 s", fix: "try again")
        }
        try session.run {
            session.client.revoke(
                ids, terminate: terminate ? signal ?? "SIGTERM" : nil, controlExchange: session.controlExchange
            ) { failure in
                session.finish(failure.map { .unavailable($0, "not revoked") })
            }
        }
    }
}
