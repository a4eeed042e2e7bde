// One command to workers and the printing of what they reply.
import Client
import TaskhostJSON

enum RemoteErrand {
    /// - Returns: whether a worker replied with an error.
    static func run(_ method: RemoteMethod, _ words: [String], _ remote: RemoteOptions) throws -> Bool {
        let question = ControlQuestion(method.name, try method.arguments(words))
        let replies = try remote.ask([question])[0]
        if replies.isEmpty {
            if !method.isAnswered { return false }
            throw remote.nobody
        }
        if remote.json {
            // Of workers of one name the last counts: a key can be there only once.
            let byName = Dictionary(replies.map { ($0.key, $0.value) }) { $1 }.sorted { $0.key < $1.key }
            Console.out(.object(byName.map { JSONMember(key: $0.key, value: $0.value) }))
        } else {
            for reply in replies {
                for line in ReplyText.lines(node: reply.key, reply.value) { Console.out(line) }
            }
            if method.name == "ping" {
                Console.out("\n\(replies.count) node\(replies.count == 1 ? "" : "s") online.")
            }
        }
        return replies.contains { ReplyText.failed($0.value) }
    }
}
