import ArgumentParser
import Fleet
import Output
import Ports
import TaskhostJSON

struct PurgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Throw away what waits in queues.",
        discussion: """
            Messages that a worker already holds are not touched. There is no way back; asks first on a terminal.
            """)

    @Argument(help: ArgumentHelp("Queues to empty.", valueName: "queue"))
    var queues: [String]

    @Flag(name: [.customShort("f"), .long], help: "Don't ask.")
    var force = false

    @Flag(help: "Print one JSON object: messages thrown away, by queue.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run() throws {
        let configuration = try connection.configuration()
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
