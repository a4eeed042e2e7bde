// Workers' replies as people read them, in the shape Celery's command line gives them.
import Output
import TaskhostJSON

enum ReplyText {
    static func lines(node: String, _ reply: JSON) -> [String] {
        let (verdict, body) = Self.verdict(reply)
        return (["->  \(node): \(verdict)"] + body.map { "    " + $0 }).map(Printable.line)
    }

    static func failed(_ reply: JSON) -> Bool { reply["error"] != nil }

    private static func verdict(_ reply: JSON) -> (String, [String]) {
        switch reply {
        case .array(let elements):
            if elements.isEmpty { return ("OK", ["- empty -"]) }
            return ("OK", elements.flatMap(item))
        case .object:
            if let ok = reply["ok"] { return ("OK", text(ok)) }
            if let error = reply["error"] { return ("ERROR", text(error)) }
            return ("OK", indented(reply))
        case .null: return ("OK", [])
        default: return ("OK", text(reply))
        }
    }

    private static func text(_ value: JSON) -> [String] {
        guard let text = value.text else { return indented(value) }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static func item(_ element: JSON) -> [String] {
        let lines = text(element)
        return lines.enumerated().map { ($0.offset == 0 ? "* " : "  ") + $0.element }
    }

    /// JSON over several lines, four columns a level.
    static func indented(_ value: JSON) -> [String] {
        switch value {
        case .object(let members) where !members.isEmpty:
            let parts = members.map { member in
                var lines = indented(member.value)
                lines[0] = Console.text(.string(member.key)) + ": " + lines[0]
                return lines
            }
            return ["{"] + joined(parts) + ["}"]
        case .array(let elements) where !elements.isEmpty: return ["["] + joined(elements.map(indented)) + ["]"]
        default: return [Console.text(value)]
        }
    }

    private static func joined(_ parts: [[String]]) -> [String] {
        parts.enumerated().flatMap { index, lines in
            var lines = lines.map { "    " + $0 }
            if index < parts.count - 1 { lines[lines.count - 1] += "," }
            return lines
        }
    }
}
