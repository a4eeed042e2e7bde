// Whom to ask, and how long to wait: what `inspect`, `control` and `status` share.
import ArgumentParser
import Client
import TaskhostJSON

struct RemoteOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Only these workers: names, separated by commas. Default: all.", valueName: "nodes"))
    var destination: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Wait so long for replies.", valueName: "seconds"))
    var timeout = 1.0

    @Flag(help: "Print one JSON object: replies by node.")
    var json = false

    @OptionGroup var place: LocalOptions

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout is more than 0 seconds") }
        try Self.validate(destination)
    }

    /// Nobody's name must not mean everybody: it may be a variable that a script has not set.
    static func validate(_ destination: String?) throws {
        guard destination == nil || names(destination) != nil else {
            throw ValidationError("--destination names no worker; leave it out to mean all")
        }
    }

    var nodes: [String]? { Self.names(destination) }

    static func names(_ list: String?) -> [String]? {
        let names = (list ?? "").split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
        return names.isEmpty ? nil : names
    }

    /// Asks all questions at once; their replies in the same order.
    func ask(_ questions: [ControlQuestion]) throws -> [[JSONMember]] {
        let configuration = try connection.configuration()
        let session = try ClientSession(
            configuration, needsBroker: true, needsStore: false, needsReplies: true, hosts: try place.hosts())
        session.limit(seconds: 10 + timeout) {
            CommandFailure(.unavailable, "the broker did not take the question within 10 s", fix: "try again")
        }
        var answers: [[JSONMember]] = Array(repeating: [], count: questions.count)
        var open = questions.count
        try session.run {
            for (index, question) in questions.enumerated() {
                var question = question
                question.destination = nodes
                session.ask(question, within: timeout) { replies in
                    answers[index] = replies
                    open -= 1
                    if open == 0 { session.finish() }
                }
            }
        }
        for name in Self.repeated(answers[0]) {
            Console.remark("taskhost: several workers are called \(name): give each a name of its own with --hostname")
        }
        return answers
    }

    /// Names that more than one worker has: they can neither be told apart nor be spoken to one by one.
    static func repeated(_ replies: [JSONMember]) -> [String] {
        Dictionary(grouping: replies, by: \.key).filter { $0.value.count > 1 }.keys.sorted()
    }

    var nobody: CommandFailure {
        let seconds = timeout.plain
        let what = nodes.map { "no reply from \($0.joined(separator: ", "))" } ?? "no worker replied"
        guard place.local || !place.socket.isEmpty else {
            return CommandFailure(
                .unavailable, "\(what) within \(seconds) s",
                fix: "start a worker with this broker, or wait longer with --timeout")
        }
        return CommandFailure(
            .unavailable, what,
            fix: "start a worker as this user (sockets are looked for in \(LocalOptions.folders)), or name its --socket"
        )
    }
}
