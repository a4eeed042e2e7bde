import ArgumentParser
import CeleryWire
import Client
import Configuration
import Fleet
import Output
import Ports
import TaskModel
import TaskhostJSON
import Transports

struct ResultCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result", abstract: "Print the state and result of a task.",
        discussion: """
            Exit status: 0 the task succeeded, 1 it failed or was revoked, 75 nothing is known of it yet or it is \
            still under way, 124 --wait=SECONDS ran out.
            """)

    @Argument(help: ArgumentHelp("The task's id, as `taskhost call` prints it.", valueName: "id"))
    var id: String

    @Option(help: ArgumentHelp("Wait for the result; --wait=SECONDS waits no longer.", valueName: "seconds"))
    var wait: WaitTime?

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run() throws {
        let configuration = try connection.configuration()
        switch configuration.results {
        case .none:
            throw CommandFailure.configuration(
                "no results are kept: the result backend is none", fix: "name one with --result-backend")
        case .direct(let scheme):
            throw CommandFailure.configuration(
                "\(scheme):// sends a result only to the client that asked for it; it cannot be looked up",
                fix: "use `taskhost call --wait`, or a store that keeps results "
                    + "(\(Transports.stores.map { $0.shortForm }.joined(separator: ", ")))")
        case .kept: break
        }
        let session = try ClientSession(configuration, needsBroker: false, needsStore: true)
        let status = try wait.map { try waitFor($0, session) } ?? look(session)
        if status != .success { throw ExitCode(status.rawValue) }
    }

    private func waitFor(_ limit: WaitTime, _ session: ClientSession) throws -> ExitStatus {
        let waiting = ResultWait(session: session, taskID: id, asJSON: json)
        try session.run { waiting.follow(limit: limit) }
        return waiting.report()
    }

    private func look(_ session: ClientSession) throws -> ExitStatus {
        var found: ReceivedMeta?
        try session.run {
            session.client.fetch(id) { answer in
                switch answer {
                case .success(let meta):
                    found = meta
                    session.finish()
                case .failure(let failure):
                    session.finish(.unavailable(failure))
                }
            }
        }
        let place = found?.isFinal ?? false ? nil : TaskPlace.find(id, try connection.configuration())
        if let found {
            let status = ResultText.report(found, taskID: id, seconds: nil, asJSON: json, place: place)
            return status
        }
        if json {
            Console.out(
                .object(
                    [JSONMember(key: "id", value: .string(id)), JSONMember(key: "state", value: .string("PENDING"))]
                        + (place?.members ?? [])))
        } else {
            Console.out("PENDING" + (place.map { ": \($0.text(at: LogTime.now()))" } ?? ""))
        }
        if place == nil {
            Console.note(
                "taskhost: no result, and no worker that replies holds \(id): it waits in a queue, was never sent, "
                    + "or its result has expired")
        }
        return .notYet
    }
}
