// A hook: which events of which tasks are reported, and how.
import TaskModel

/// One `[hooks.NAME]`.
public struct Hook: Sendable, Equatable {
    public enum Trigger: String, Sendable, CaseIterable {
        case success, failure, retry, revoked, crash
        case timeLimit = "time_limit"
        case deadLetter = "dead_letter"
    }

    public enum Action: Sendable, Equatable {
        /// Program (absolute path) and arguments.
        case command([String])
        case post(url: String, secret: String?)
        /// nil: where the routes lead.
        case task(String, queue: String?)
    }

    public var name: String
    public var triggers: Set<Trigger>
    /// Names of tasks, with `*` for any text.
    public var tasks: [String]
    public var action: Action
    /// Seconds one delivery may take.
    public var timeout: Double
    /// Of a POST, after the first attempt.
    public var retries: Int
    /// What a command sees of our environment, beside PATH, HOME, LANG and TZ.
    public var environment: [String: String]

    public init(
        name: String, triggers: Set<Trigger>, tasks: [String], action: Action, timeout: Double, retries: Int,
        environment: [String: String]
    ) {
        self.name = name
        self.triggers = triggers
        self.tasks = tasks
        self.action = action
        self.timeout = timeout
        self.retries = retries
        self.environment = environment
    }

    func concerns(_ trigger: Trigger, task: String) -> Bool {
        triggers.contains(trigger) && tasks.contains { NamePattern.matches($0, task) }
    }
}

/// What became of one delivery, for who counts.
public enum HookResult: String, Sendable {
    case delivered, failed
    /// Its queue was full.
    case dropped
}
