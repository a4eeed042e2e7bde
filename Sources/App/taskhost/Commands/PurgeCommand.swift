import ArgumentParser
import Configuration
import Fleet
import Output
import Ports
import Settings
import TaskhostJSON

struct PurgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Throw away what waits in queues.",
        discussion: """
            Messages that a worker already holds are not touched. There is no way back; asks first on a terminal.
            Without names: the queues that a worker with these settings serves, with -A those of the app.
            """)

    @Argument(help: ArgumentHelp("Queues to empty.", valueName: "queue"))
    var named: [String] = []

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp("The same, separated by commas.", valueName: "names"))
    var listed: String?

    @Flag(name: [.customShort("f"), .long], help: "Don't ask.")
    var force = false

    @Flag(help: "Print one JSON object: messages thrown away, by queue.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run() throws {
        let configuration = try connection.configuration()
        let given = named + (listed.map { $0.split(separator: ",").map { String($0).trimmed } } ?? [])
        let queues = given.isEmpty ? configuration.queues.entries.map(\.name) : given
        try Confirmation.ask("Throw away everything in \(queues.joined(separator: ", "))?", force: force)
        let session = try ClientSession(configuration, needsBroker: true, needsStore: false)
        var counts: [JSONMember] = []
        func next() {
            guard counts.count < queues.count else { return session.finish() }
            let queue = queues[counts.count]
            session.broker?.purge(queue: queue) { answer in
                switch answer {
                case .success(let count):
                    counts.append(JSONMember(key: queue, value: .int(Int64(count))))
                    if !json { Console.out("\(queue): \(count) messages thrown away") }
                    next()
                case .failure(let failure):
                    session.finish(.unavailable(failure))
                }
            }
        }
        try session.run(next)
        if json { Console.out(.object(counts)) }
    }
}
