// Regular expressions from strangers, matched in a time that cannot explode: no backtracking, sets of positions instead.

/// The part of Perl's syntax that node names need: literals, `.`, classes, `\d \w \s` and their opposites, groups,
/// `|`, `* + ? {m,n}` (lazy or not makes no difference here), `^`, `$`, `\b`.
struct SafeRegex {
    indirect enum Node {
        case empty
        case one(@Sendable (Unicode.Scalar) -> Bool)
        case start, end, boundary
        case sequence([Node])
        case either([Node])
        case repeated(Node, atLeast: Int, atMost: Int)
    }

    private let root: Node

    init(_ pattern: String) throws(RegexRefusal) {
        guard pattern.utf8.count <= 512 else { throw RegexRefusal(reason: "longer than 512 bytes") }
        var parser = RegexParser(pattern)
        root = try parser.parse()
        guard Self.cost(root) <= 100_000 else { throw RegexRefusal(reason: "too many repetitions within each other") }
    }

    /// Steps it may take, roughly: repetitions within each other multiply.
    private static func cost(_ node: Node) -> Int {
        switch node {
        case .empty, .one, .start, .end, .boundary: 1
        case .sequence(let parts), .either(let parts): parts.reduce(1) { min(1 << 30, $0 + cost($1)) }
        case .repeated(let inner, let least, let most):
            min(1 << 30, cost(inner) * max(1, most == .max ? 32 : most, least))
        }
    }

    /// As Python's `re.match`: from the beginning, not necessarily to the end.
    func matchesStart(of text: String) -> Bool {
        let text = Array(text.unicodeScalars)
        return !Self.ends(root, from: [0], in: text).isEmpty
    }

    /// Where a match of the node can end, of all those that begin at one of the positions.
    private static func ends(_ node: Node, from starts: Set<Int>, in text: [Unicode.Scalar]) -> Set<Int> {
        switch node {
        case .empty: return starts
        case .one(let accepts):
            return Set(starts.lazy.filter { $0 < text.count && accepts(text[$0]) }.map { $0 + 1 })
        case .start: return starts.intersection([0])
        case .end: return starts.intersection([text.count])
        case .boundary:
            return starts.filter { position in
                let before = position > 0 && RegexParser.isWord(text[position - 1])
                let after = position < text.count && RegexParser.isWord(text[position])
                return before != after
            }
        case .sequence(let parts):
            var positions = starts
            for part in parts where !positions.isEmpty { positions = ends(part, from: positions, in: text) }
            return positions
        case .either(let choices):
            return choices.reduce(into: []) { $0.formUnion(ends($1, from: starts, in: text)) }
        case .repeated(let inner, let least, let most):
            var positions = starts
            for _ in 0..<least where !positions.isEmpty { positions = ends(inner, from: positions, in: text) }
            var found = positions
            var frontier = positions
            var rounds = least
            while rounds < most, !frontier.isEmpty {
                frontier = ends(inner, from: frontier, in: text).subtracting(found)
                found.formUnion(frontier)
                rounds += 1
            }
            return found
        }
    }
}

struct RegexRefusal: Error {
    var reason: String
}
