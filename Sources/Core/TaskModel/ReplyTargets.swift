// Where answers may go: the sender of a message names the queue, and the worker has more rights than the sender.

/// Names that Celery's clients give to their reply queues, and those that the operator adds. Anything else might be
/// somebody's work queue.
public struct ReplyTargets: Sendable, Equatable {
    /// Beside UUIDs; `*` stands for any text.
    public var patterns: [String]

    public init(patterns: [String] = []) {
        self.patterns = patterns
    }

    /// - Parameter name: of a queue.
    public func allows(_ name: String) -> Bool {
        Self.isUUID(name) || patterns.contains { Self.matches(name.utf8[...], Array($0.utf8)[...]) }
    }

    /// 32 hexadecimal digits, with or without hyphens in the usual places.
    static func isUUID(_ name: String) -> Bool {
        let hyphens = name.utf8.count == 36 ? [8, 13, 18, 23] : []
        guard name.utf8.count == 32 || name.utf8.count == 36 else { return false }
        return name.utf8.enumerated().allSatisfy { index, byte in
            if hyphens.contains(index) { return byte == UInt8(ascii: "-") }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                return true
            default: return false
            }
        }
    }

    /// Each piece between stars is taken where it comes first, the last one at the end.
    private static func matches(_ name: Substring.UTF8View, _ pattern: ArraySlice<UInt8>) -> Bool {
        let pieces = pattern.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        var rest = Array(name)[...]
        guard let first = pieces.first, let last = pieces.last, rest.starts(with: first) else { return false }
        if pieces.count == 1 { return rest.count == first.count }
        rest = rest.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let at = rest.indices.first(where: { rest[$0...].starts(with: piece) }) else { return false }
            rest = rest[(at + piece.count)...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }
}
