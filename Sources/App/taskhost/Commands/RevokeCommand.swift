import ArgumentParser
import Client
import Control
import Fleet
import Output
import Ports
import TaskModel
import TaskhostJSON

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Tell all workers not to run tasks.",
        discussion: """
            Tasks that run already go on, unless --terminate ends them. The state becomes \
            REVOKED when a worker meets the task; workers that start later learn of it from those that know. \
            With --workflow taskhost's workers run no further task of that workflow: none that waits, now or for a \
            later time, and none that is still to follow.
            """)

    @Argument(help: ArgumentHelp("Ids of tasks.", valueName: "id"))
    var ids: [String] = []

    @Option(
        help: ArgumentHelp(
            "Every task of the workflow that this one began (its root_id), also those yet to come; repeatable.",
            valueName: "root id"))
    var workflow: [String] = []

    @Flag(help: "End them if they run already.")
    var terminate = false

    @Option(help: ArgumentHelp("The signal that --terminate sends. Default: SIGTERM.", valueName: "name"))
    var signal: String?

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    /// There is no reply, so a wrong signal must be refused here.
    func validate() throws {
        if ids.isEmpty, workflow.isEmpty { throw ValidationError("name the ids of tasks, or a --workflow") }
        guard let signal else { return }
        guard terminate else { throw ValidationError("--signal is what --terminate sends: add --terminate") }
        guard SignalName.number(signal) != nil else {
            throw ValidationError("'\(signal)' is no signal for tasks: write SIGKILL, or SIGINT")
        }
    }

    func run() throws {
        let configuration = try connection.configuration()
        let session = try ClientSession(configuration, needsBroker: true, needsStore: false, needsControl: true)
        session.limit(seconds: 10) {
            session.unanswered
        }
        try session.run {
            session.client.revoke(
                ids + workflow.map(RevokedWorkflow.id(root:)), terminate: terminate ? signal ?? "SIGTERM" : nil,
                controlExchange: session.controlExchange
            ) { failure in
                session.finish(failure.map { .unavailable($0, "not revoked") })
            }
        }
    }
}
