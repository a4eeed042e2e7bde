// What `taskhost doctor` asks an outside system, and what the program lends it for that.
public import TaskModel

public struct ExaminationQuestion {
    public enum Role: String, Sendable { case broker, results }

    public var role: Role
    /// That a worker would consume; none for results.
    public var queues: [QueueDeclaration] = []
    /// Names of the schedules that send to a queue with a priority above 0, by queue.
    public var prioritySchedules: [String: [String]] = [:]
    /// Of the tasks a worker would run.
    public var limits: [TaskTimeLimit] = []
    /// Seconds that the broker lets a message be held, as it was set or by default; nil: for ever.
    public var consumerTimeout: Double?
    public var isConsumerTimeoutSet = false
    /// Of the broker's management API.
    public var managementURL: String?
    /// How results would be kept.
    public var results = ResultOptions()
    public var tools: ExaminationTools

    public init(_ role: Role, tools: ExaminationTools) {
        self.role = role
        self.tools = tools
    }

    /// What findings are about.
    public var subject: String { role.rawValue }
}

/// The hard limit of a task.
public struct TaskTimeLimit: Sendable {
    public var task: String
    /// > 0; nil: none.
    public var seconds: Double?

    public init(task: String, seconds: Double?) {
        self.task = task
        self.seconds = seconds
    }
}

/// What outlives no adapter and needs none: files, clocks, HTTP, commands. Each blocks for as long as it takes.
public struct ExaminationTools {
    public struct HTTPAnswer: Sendable {
        /// < 0: there is none, as `error` says.
        public var status: Int
        public var body: [UInt8]
        /// Of the server, in seconds since 1970; < 0: unknown.
        public var date: Int64
        public var error: String

        public init(status: Int, body: [UInt8], date: Int64, error: String) {
            self.status = status
            self.body = body
            self.date = date
            self.error = error
        }
    }

    /// GET.
    public var fetch: (_ url: String) -> HTTPAnswer
    /// The broker's own tool, with these arguments: what it says. nil: none was named.
    public var command: ((_ arguments: [String]) -> Result<String, TransportFailure>)?
    /// Whether a database file is ours alone, or can be made.
    public var databaseFile: (_ path: String, _ subject: String) -> Finding
    /// Seconds since 1970.
    public var now: () -> Double

    public init(
        fetch: @escaping (_ url: String) -> HTTPAnswer,
        command: ((_ arguments: [String]) -> Result<String, TransportFailure>)?,
        databaseFile: @escaping (_ path: String, _ subject: String) -> Finding, now: @escaping () -> Double
    ) {
        self.fetch = fetch
        self.command = command
        self.databaseFile = databaseFile
        self.now = now
    }
}
