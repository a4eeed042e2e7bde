// Reads the syntax of `SafeRegex`. What it does not know is refused by name, never guessed.

struct RegexParser {
    private let text: [Unicode.Scalar]
    private var index = 0
    private var depth = 0
    /// The parser recurses.
    private static let maxDepth = 32
    private static let maxRepeats = 64

    init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private var peek: Unicode.Scalar? { index < text.count ? text[index] : nil }

    private func refuse(_ reason: String) -> RegexRefusal { RegexRefusal(reason: reason) }

    mutating func parse() throws(RegexRefusal) -> SafeRegex.Node {
        let node = try either()
        guard index == text.count else { throw refuse("a ')' too many") }
        return node
    }

    private mutating func either() throws(RegexRefusal) -> SafeRegex.Node {
        var choices = [try sequence()]
        while peek == "|" {
            index += 1
            choices.append(try sequence())
        }
        return choices.count == 1 ? choices[0] : .either(choices)
    }

    private mutating func sequence() throws(RegexRefusal) -> SafeRegex.Node {
        var parts: [SafeRegex.Node] = []
        while let next = peek, next != "|", next != ")" {
            parts.append(try repeats(of: try atom()))
        }
        return parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func atom() throws(RegexRefusal) -> SafeRegex.Node {
        let scalar = text[index]
        index += 1
        switch scalar {
        case ".": return .one { $0 != "\n" }
        case "^": return .start
        case "$": return .end
        case "(": return try group()
        case "[": return try characterClass()
        case "\\": return try escape()
        case "*", "+", "?": throw refuse("nothing to repeat before '\(scalar)'")
        default: return .one { $0 == scalar }
        }
    }

    private mutating func group() throws(RegexRefusal) -> SafeRegex.Node {
        depth += 1
        guard depth <= Self.maxDepth else { throw refuse("groups nested deeper than \(Self.maxDepth)") }
        if peek == "?" {
            guard index + 1 < text.count, text[index + 1] == ":" else {
                throw refuse("of the groups that begin with '(?' only '(?:' is understood")
            }
            index += 2
        }
        let node = try either()
        guard peek == ")" else { throw refuse("a ')' is missing") }
        index += 1
        depth -= 1
        return node
    }

    private mutating func repeats(of node: SafeRegex.Node) throws(RegexRefusal) -> SafeRegex.Node {
        let bounds: (Int, Int)
        switch peek {
        case "*": bounds = (0, .max)
        case "+": bounds = (1, .max)
        case "?": bounds = (0, 1)
        case "{":
            guard let counted = counts() else { return node }
            bounds = counted
        default: return node
        }
        guard bounds.0 <= Self.maxRepeats, bounds.1 == .max || bounds.1 <= Self.maxRepeats, bounds.0 <= bounds.1 else {
            throw refuse("repeat counts must be ordered and at most \(Self.maxRepeats)")
        }
        index += 1
        if peek == "?" { index += 1 }
        if let more = peek, "*+?".unicodeScalars.contains(more) { throw refuse("multiple repeat") }
        return .repeated(node, atLeast: bounds.0, atMost: bounds.1)
    }

    /// `{m}`, `{m,}`, `{,n}`, `{m,n}`: stops before the closing brace. Anything else is literal text.
    private mutating func counts() -> (Int, Int)? {
        guard let close = text[index...].firstIndex(of: "}") else { return nil }
        let inner = text[(index + 1)..<close].split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = inner.map { part in part.isEmpty ? nil : Int(String(String.UnicodeScalarView(part))) }
        let isWellFormed = zip(inner, numbers).allSatisfy { $0.isEmpty || ($1 ?? -1) >= 0 }
        guard isWellFormed, numbers.contains(where: { $0 != nil }) else { return nil }
        index = close
        let least = numbers[0] ?? 0
        return numbers.count == 1 ? (least, least) : (least, numbers[1] ?? .max)
    }

    private mutating func escape() throws(RegexRefusal) -> SafeRegex.Node {
        guard let scalar = peek else { throw refuse("it ends in a backslash") }
        if scalar == "b" {
            index += 1
            return .boundary
        }
        return .one(try escapedSet())
    }

    private mutating func escapedSet() throws(RegexRefusal) -> @Sendable (Unicode.Scalar) -> Bool {
        guard let scalar = peek else { throw refuse("it ends in a backslash") }
        index += 1
        switch scalar {
        case "d": return { $0.properties.generalCategory == .decimalNumber }
        case "D": return { $0.properties.generalCategory != .decimalNumber }
        case "w": return { Self.isWord($0) }
        case "W": return { !Self.isWord($0) }
        case "s": return { $0.properties.isWhitespace }
        case "S": return { !$0.properties.isWhitespace }
        default:
            guard !(scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))) else {
                throw refuse("'\\\(scalar)' is not understood")
            }
            return { $0 == scalar }
        }
    }

    private mutating func characterClass() throws(RegexRefusal) -> SafeRegex.Node {
        let isNegated = peek == "^"
        if isNegated { index += 1 }
        var tests: [@Sendable (Unicode.Scalar) -> Bool] = []
        var isFirst = true
        while let scalar = peek, scalar != "]" || isFirst {
            isFirst = false
            index += 1
            if scalar == "\\" {
                tests.append(try escapedSet())
            } else if peek == "-", index + 1 < text.count, text[index + 1] != "]" {
                let last = text[index + 1]
                guard scalar <= last, last != "\\" else { throw refuse("bad character range") }
                index += 2
                tests.append { scalar <= $0 && $0 <= last }
            } else {
                tests.append { $0 == scalar }
            }
        }
        guard peek == "]" else { throw refuse("a ']' is missing") }
        index += 1
        let accepted = tests
        return .one { scalar in accepted.contains { $0(scalar) } != isNegated }
    }
}
