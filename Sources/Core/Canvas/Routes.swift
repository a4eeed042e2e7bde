// Where a task's messages go when their sender does not say (celery-protocol.md §2.3).
import TaskModel

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
            rules.first { $0.pattern == name } ?? rules.first { NamePattern.matches($0.pattern, name) }
        guard let target = rule?.target, target != .routed else { return .queue(defaultQueue) }
        return target
    }
}
