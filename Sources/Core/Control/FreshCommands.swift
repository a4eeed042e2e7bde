// Signed commands that say when they were written: each is believed once, and not when it is old (remote-control.md).
import CeleryWire
import TaskhostJSON

/// What has been seen, for as long as it would still be believed.
struct FreshCommands {
    /// Seconds that a command may be old, or its sender's clock ahead.
    static let window = 30.0
    /// So many commands within twice the window: more than anybody gives, and it bounds what is kept.
    static let capacity = 20_000
    private static let longestNonce = 64

    enum Answer: Equatable {
        case fresh
        /// It says nothing of its age.
        case unmarked
        /// The rest of a sentence about the command.
        case stale(String)
    }

    private var seen: Set<String> = []
    private var order: [(nonce: String, until: Double)] = []
    private var first = 0

    /// - Parameters:
    ///   - body: of a command whose signature held.
    ///   - now: Unix time.
    mutating func check(_ body: JSON, now: Double) -> Answer {
        guard let mark = body[FreshMark.key] else { return .unmarked }
        guard let at = mark["at"]?.number, let nonce = mark["nonce"]?.text, !nonce.isEmpty,
            nonce.utf8.count <= Self.longestNonce
        else { return .stale("its time cannot be read") }
        let age = now - at
        guard abs(age) <= Self.window else {
            let words = age > 0 ? "\(Self.seconds(age)) s old" : "\(Self.seconds(-age)) s in the future"
            return .stale("it is \(words), or the clocks differ: at capacity \(Int(Self.window)) s are believed")
        }
        forget(now)
        guard !seen.contains(nonce) else { return .stale("it was seen before") }
        guard seen.count < Self.capacity else { return .stale("too many commands at a time") }
        seen.insert(nonce)
        // It may be from a clock that is ahead: believed until then.
        order.append((nonce, now + 2 * Self.window))
        return .fresh
    }

    private mutating func forget(_ now: Double) {
        while first < order.count, order[first].until < now {
            seen.remove(order[first].nonce)
            first += 1
        }
        if first > 1_000, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
    }

    private static func seconds(_ value: Double) -> String { String(Int(min(value, 1e9))) }
}
