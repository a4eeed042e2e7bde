// One command to workers, and what they reply printed.
import Client
package import Output
import TaskhostJSON

package enum CommandRun {
    /// - Parameter words: the command's arguments, as they were typed.
    /// - Returns: whether it failed: a worker replied with an error.
    package static func run(
        _ method: RemoteMethod, _ words: [String], by inquiry: FleetInquiry, asJSON: Bool
    ) throws(CommandFailure) -> Bool {
        let question = ControlQuestion(method.name, try method.arguments(words))
        let replies = try inquiry.ask([question])[0]
        if replies.isEmpty {
            if !method.isAnswered { return false }
            throw inquiry.noReply
        }
        if asJSON {
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
        // Of a command that only some workers define, the others' not knowing it is no failure.
        let known = replies.filter { !method.isUnknown(by: $0.value) }
        if known.isEmpty { throw method.unknownToAll() }
        return method.failed(known)
    }
}
