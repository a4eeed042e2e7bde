// Where a task's messages go when their sender does not say (celery-protocol.md §2.3).

/// An exact name first, then patterns in their order.
public struct Routes: Sendable, Equatable {
    public struct Rule: Sendable, Equatable {
        /// A task's name, or a pattern with `*` for any text.
        public var pattern: String
        public var target: CanvasCall.Target

        public init(pattern: String, target: CanvasCall.Target) {
            self.pattern = pattern
            self.target = target
        }
    }

    public var rules: [Rule]
    /// For tasks that no rule names.
    public var defaultQueue: String

    public init(_ rules: [Rule] = [], defaultQueue: String) {
        self.rules = rules
        self.defaultQueue = defaultQueue
    }

    /// Never `.routed`.
    public func target(of call: CanvasCall) -> CanvasCall.Target {
        call.target == .routed ? target(ofTask: call.taskName) : call.target
    }

    /// Never `.routed`.
    public func target(ofTask name: String) -> CanvasCall.Target {
        let rule =
            rules.first { $0.pattern == name } ?? rules.first { Self.matches($0.pattern.utf8[...], name.utf8[...]) }
        guard let target = rule?.target, target != .routed else { return .queue(defaultQueue) }
        return target
    }

    /// Whether a task's name is the pattern, or fits it, `*` standing for any text.
    public static func matches(_ pattern: String, name: String) -> Bool { matches(pattern.utf8[...], name.utf8[...]) }

    /// Greedy with one point to come back to: linear in practice, never worse than the product of the lengths.
    private static func matches(_ pattern: Substring.UTF8View, _ name: Substring.UTF8View) -> Bool {
        var pattern = pattern
        var name = name
        var retry: (pattern: Substring.UTF8View, name: Substring.UTF8View)?
        while true {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (pattern, name)
            } else if let next = name.first, pattern.first == next {
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            } else if name.isEmpty, pattern.isEmpty {
                return true
            } else if let place = retry, !place.name.isEmpty {
                retry = (place.pattern, place.name.dropFirst())
                (pattern, name) = (place.pattern, place.name.dropFirst())
            } else {
                return false
            }
        }
    }
}
