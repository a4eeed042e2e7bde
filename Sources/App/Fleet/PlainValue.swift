package import Output
package import TaskhostJSON

/// Reads an argument of a task: JSON if it is JSON, else the word itself. 4 is a number, hello a string, "4" (with
/// its quotes) a string too.
package enum PlainValue {
    package static func read(_ word: String) -> JSON {
        do {
            return try JSON(parsing: Array(word.utf8), limits: .trusted)
        } catch {
            // Nobody means a text that begins so; the shell has taken its quotes, or a bracket is missing.
            if word.hasPrefix("[") || word.hasPrefix("{") {
                Console.note(
                    "taskhost: \(word) is no JSON (\(error)), so it is taken as text\n"
                        + "  fix: put it in single quotes, with \" around its texts: '[1, \"a\"]'")
            }
            return .string(word)
        }
    }

    /// `--kw name=value`.
    package static func keyword(_ word: String) throws(CommandFailure) -> JSONMember {
        guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
            throw CommandFailure(.usage, "--kw \(word): a name and a value are wanted", fix: "write --kw NAME=VALUE")
        }
        return JSONMember(key: String(word[..<equals]), value: read(String(word[word.index(after: equals)...])))
    }

    /// `--args '[4, 6]'`.
    package static func list(_ text: String) throws(CommandFailure) -> [JSON] {
        let value: JSON
        do {
            value = try JSON(parsing: Array(text.utf8), limits: .trusted)
        } catch {
            throw CommandFailure(.usage, "--args is no JSON: \(error)", fix: "write --args '[4, \"text\"]'")
        }
        guard let elements = value.elements else {
            throw CommandFailure(.usage, "--args must be a JSON list", fix: "write --args '[4, \"text\"]'")
        }
        return elements
    }

    /// Both together; of one name the last `--kw` counts.
    package static func keywords(_ text: String?, _ words: [String]) throws(CommandFailure) -> [JSONMember] {
        var named = try text.map { text throws(CommandFailure) in try keywords(text) } ?? []
        for word in words {
            let member = try keyword(word)
            named.removeAll { $0.key == member.key }
            named.append(member)
        }
        return named
    }

    /// `--kwargs '{"y": 1}'`.
    package static func keywords(_ text: String) throws(CommandFailure) -> [JSONMember] {
        let value: JSON
        do {
            value = try JSON(parsing: Array(text.utf8), limits: .trusted)
        } catch {
            throw CommandFailure(.usage, "--kwargs is no JSON: \(error)", fix: "write --kwargs '{\"name\": value}'")
        }
        guard case .object(let members) = value else {
            throw CommandFailure(.usage, "--kwargs must be a JSON object", fix: "write --kwargs '{\"name\": value}'")
        }
        return members
    }
}
