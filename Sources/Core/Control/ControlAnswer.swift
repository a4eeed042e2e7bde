// The value of a reply, or how it is made: a long one is made and written beside the loop.
import TaskhostJSON

struct ControlAnswer: Sendable {
    /// Bytes, roughly, that are read and written for it.
    var weight: Int
    var make: @Sendable () -> JSON

    /// From here on it would keep the loop for longer than a turn should take, at a time when others are answered, too.
    static let maxImmediateWeight = 65_536
    var isLong: Bool { weight > Self.maxImmediateWeight }

    init(weight: Int, _ make: @escaping @Sendable () -> JSON) {
        self.weight = weight
        self.make = make
    }

    init(_ value: JSON) { self.init(weight: Self.weight(value, depth: 3)) { value } }

    /// By its outer layers: lists of tens of thousands of ids are found out, and nothing long is walked through.
    private static func weight(_ value: JSON, depth: Int) -> Int {
        switch value {
        case .string(let text): return text.utf8.count
        case .array(let elements):
            guard depth > 0, elements.count < 100 else { return 64 * elements.count }
            return elements.reduce(16) { $0 + weight($1, depth: depth - 1) }
        case .object(let members):
            guard depth > 0, members.count < 100 else { return 128 * members.count }
            return members.reduce(16) { $0 + 32 + weight($1.value, depth: depth - 1) }
        default: return 16
        }
    }
}
