import ArgumentParser
import Fleet
import Output
import Ports
import TaskhostJSON

struct HandOverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hand-over", abstract: "Give tasks that wait for their time to Celery's own workers.",
        discussion: """
            On Redis, tasks with an eta, a countdown or a long retry wait in a key that only taskhost knows. The last \
            worker of a queue that stops puts them into the queue's list, where Celery's workers find and hold them; \
            one that was killed cannot. This does the same by hand, once no taskhost serves the queue. On RabbitMQ and \
            in the embedded broker nothing is to be done.
            """)

    @Argument(help: ArgumentHelp("Queues that no taskhost serves any more.", valueName: "queue"))
    var queues: [String]

    @Flag(help: "Print one JSON object: messages handed over, by queue.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run() throws {
        let session = try ClientSession(try connection.configuration(), needsBroker: true, needsStore: false)
        var counts: [JSONMember] = []
        func next() {
            guard counts.count < queues.count else { return session.finish() }
            let queue = queues[counts.count]
            session.broker?.handOver(queue: queue) { answer in
                switch answer {
                case .success(let count):
                    counts.append(JSONMember(key: queue, value: .int(Int64(count))))
                    if !json { Console.out("\(queue): \(count) messages handed over") }
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
