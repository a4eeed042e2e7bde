import ArgumentParser
import Client
import Fleet
import Output
import Ports
import TaskhostJSON

struct ScheduledCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduled", abstract: "Show what is due later: how many tasks, and the next ones.",
        discussion: """
            Tasks with a countdown, an ETA or a long way to their next retry wait in the broker, or for their last \
            minute in a worker's hands. Without queues: those that workers consume.
            """)

    @Argument(help: ArgumentHelp("Only these queues.", valueName: "queue"))
    var queues: [String] = []

    @Option(help: ArgumentHelp("Tasks listed at most; 0: counts only.", valueName: "number"))
    var limit = 20

    @Option(name: [.short, .long], help: ArgumentHelp("How long to wait for workers' replies.", valueName: "seconds"))
    var timeout = 1.0

    @Flag(help: "Print one JSON object: counts by queue, and the next ones.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        guard (0...1000).contains(limit) else { throw ValidationError("--limit is a number from 0 to 1000") }
        guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout is more than 0 seconds") }
    }

    func run() throws {
        let session = try ClientSession(
            try connection.configuration(), needsBroker: true, needsStore: false, needsReplies: true)
        session.limit(seconds: 10 + timeout) { session.unanswered }
        var list: LaterList?
        try session.run {
            session.ask([ControlQuestion("active_queues"), ControlQuestion("later")], within: timeout) { answers in
                let queues = queues.isEmpty ? Self.consumed(answers[0]) : queues
                let question = ScheduledQuestion(asker: .client, queues: queues, limit: limit)
                session.broker?.scheduled(question) { answer in
                    switch answer {
                    case .success(let found):
                        list = LaterList(queues: queues, replies: answers[1], broker: found, limit: limit)
                        session.finish()
                    case .failure(let failure): session.finish(.unavailable(failure))
                    }
                }
            }
        }
        guard let list else { return }
        if json {
            Console.out(list.json)
        } else {
            for line in list.lines(at: LogTime.now()) { Console.out(line) }
        }
    }

    /// By any worker; the usual one when none replies.
    private static func consumed(_ replies: [JSONMember]) -> [String] {
        let names = Set(replies.flatMap { $0.value.elements ?? [] }.compactMap { $0["name"]?.text })
        return names.isEmpty ? ["celery"] : names.sorted()
    }
}
