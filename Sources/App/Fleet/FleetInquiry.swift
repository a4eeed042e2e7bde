// Questions to all workers or to some, and their replies.
package import Client
package import Configuration
import LocalSocket
package import Output
import TaskModel
package import TaskhostJSON

package struct FleetInquiry {
    private let configuration: Configuration
    private let hosts: LocalHostsAddress?
    private let nodes: [String]?
    private let seconds: Double

    /// - Parameters:
    ///   - hosts: these are asked over their sockets; nil: over the broker.
    ///   - nodes: only these workers; nil: all.
    ///   - seconds: that replies are waited for.
    package init(_ configuration: Configuration, hosts: LocalHostsAddress?, nodes: [String]?, seconds: Double) {
        self.configuration = configuration
        self.hosts = hosts
        self.nodes = nodes
        self.seconds = seconds
    }

    /// Asks all questions at once; their replies in the same order.
    package func ask(_ questions: [ControlQuestion]) throws(CommandFailure) -> [[JSONMember]] {
        let session = try ClientSession(
            configuration, needsBroker: true, needsStore: false, needsReplies: true, hosts: hosts)
        session.limit(seconds: 10 + seconds) { session.unanswered }
        var answers: [[JSONMember]] = []
        let asked = questions.map { question in
            var question = question
            question.destination = nodes
            return question
        }
        try session.run {
            session.ask(asked, within: seconds) {
                answers = $0
                session.finish()
            }
        }
        for name in Self.repeated(answers[0]) {
            Console.note("taskhost: several workers are called \(name): give each a name of its own with --hostname")
        }
        return answers
    }

    /// Names that more than one worker has: they cannot be addressed one by one.
    static func repeated(_ replies: [JSONMember]) -> [String] {
        Dictionary(grouping: replies, by: \.key).filter { $0.value.count > 1 }.keys.sorted()
    }

    /// Why a command fails that no worker has replied to.
    package var noReply: CommandFailure {
        let what = nodes.map { "no reply from \($0.joined(separator: ", "))" } ?? "no worker replied"
        guard hosts != nil else {
            return CommandFailure(
                .unavailable, "\(what) within \(seconds.plain) s",
                fix: "start a worker with this broker, or wait longer with --timeout")
        }
        let folders = SocketFolder.candidates().map(\.path).joined(separator: ", ")
        return CommandFailure(
            .unavailable, what,
            fix: "start a worker as this user (sockets are looked for in \(folders)), or name its --socket")
    }
}
