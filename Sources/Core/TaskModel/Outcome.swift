/// What happened to a start. Facts only; what we do about it is the `Verdict`.
public enum Outcome: Sendable, Equatable {
    /// The task returned this JSON value.
    case success([UInt8])
    /// The task raised. Soft limits that escape arrive here as `SoftTimeLimitExceeded`.
    case failure(TaskFailure)
    /// The task asked to be run again.
    case retry(RetryRequest)
    /// It ends without a result; left in that state, if any.
    case ignore(LeftState?)
    case reject(reason: String, requeue: Bool)
    /// The task wants this signature (JSON) to give its result, under its id (celery-protocol.md §3.10); null: it has
    /// published what gives it.
    case replace([UInt8])
    /// Killed by us at its hard limit, in seconds.
    case hardLimit(Double)
    /// Killed by us because its processes had too much memory.
    case memoryLimit(MemoryExcess)
    /// Killed by us on request (revocation, shutdown).
    case terminated(signal: Int32)
    /// The child died under the task.
    case died(Death)
    /// The child ended before it began this task. Not charged to the task.
    case notStarted
    /// It had begun when the zygote of this bundle (a path) died, and so had others: any of them may be the cause.
    /// None is charged.
    case suspect(bundle: String, String)
    /// Our own machinery failed (fork impossible, bundle not loaded). Not charged to the task.
    case runnerFault(String)
}

/// The state in which a task leaves itself; of any name.
public struct LeftState: Sendable, Equatable {
    public var name: String
    /// JSON.
    public var meta: [UInt8]

    public init(name: String, meta: [UInt8]) {
        self.name = name
        self.meta = meta
    }
}

/// What a task's processes had resident together when they were killed for it.
public struct MemoryExcess: Sendable, Equatable {
    public var limitMebibytes: Int
    public var residentKiB: UInt64

    public init(limitMebibytes: Int, residentKiB: UInt64) {
        self.limitMebibytes = limitMebibytes
        self.residentKiB = residentKiB
    }
}

/// An exception in Celery's terms.
public struct TaskFailure: Sendable, Equatable {
    /// e.g. "ValueError".
    public var type: String
    /// e.g. "builtins", "taskhost.errors".
    public var module: String
    /// JSON array: the exception's constructor arguments.
    public var arguments: [UInt8]
    public var traceback: String?

    public init(type: String, module: String, arguments: [UInt8], traceback: String? = nil) {
        self.type = type
        self.module = module
        self.arguments = arguments
        self.traceback = traceback
    }
}

public struct RetryRequest: Sendable, Equatable {
    /// Seconds; nil: by the task's policy.
    public var countdown: Double?
    /// nil: the task's own bound.
    public var maxRetries: RetryBound?
    /// Why, as stored with state RETRY and raised when the bound is reached.
    public var cause: TaskFailure?
    /// JSON array and object: what to call the next attempt with; nil: as this one was.
    public var arguments: [UInt8]?
    public var keywords: [UInt8]?
    /// Seconds from now after which the next attempt is not worth starting; nil: as the message says.
    public var expires: Double?
    /// Where the next attempt goes; nil: the queue this one came from.
    public var queue: String?
    /// Of the next attempt; nil: as this one.
    public var priority: UInt8?
    /// JSON: the next attempt's message (`PreparedMessage`); nil: it is made of the present one.
    public var next: [UInt8]?

    public init(
        countdown: Double? = nil, maxRetries: RetryBound? = nil, cause: TaskFailure? = nil,
        arguments: [UInt8]? = nil, keywords: [UInt8]? = nil, expires: Double? = nil, queue: String? = nil,
        priority: UInt8? = nil
    ) {
        self.countdown = countdown
        self.maxRetries = maxRetries
        self.cause = cause
        self.arguments = arguments
        self.keywords = keywords
        self.expires = expires
        self.queue = queue
        self.priority = priority
    }
}

/// How a child died, as far as zygote and crash page know.
public struct Death: Sendable, Equatable {
    public enum Cause: Sendable, Equatable {
        case signal(Int32)
        case exit(Int32)
        /// It spoke nonsense on its data socket and was killed for it.
        case protocolViolation(String)
        /// The zygote of this bundle died, and no other task had begun there.
        case zygoteLost(bundle: String, String)
    }

    public var cause: Cause
    public var coreDumped: Bool
    /// Fault address, when the crash handler saw the signal and it was a fault: nobody sent it.
    public var address: UInt64?
    /// One line per frame, innermost first, symbolised as far as possible.
    public var stack: [String]

    public init(cause: Cause, coreDumped: Bool = false, address: UInt64? = nil, stack: [String] = []) {
        self.cause = cause
        self.coreDumped = coreDumped
        self.address = address
        self.stack = stack
    }
}

/// What a start cost.
public struct Usage: Sendable, Equatable {
    public var wallMicroseconds: UInt64 = 0
    public var userMicroseconds: UInt64 = 0
    public var systemMicroseconds: UInt64 = 0
    public var maxResidentKiB: UInt64 = 0

    public init() {}
}

/// Everything the runner tells about one start when it is over.
public struct RunReport: Sendable, Equatable {
    public var outcome: Outcome
    public var usage: Usage
    /// The last of what the task's tree wrote to stdout and stderr; at most 64 KiB.
    public var output: [UInt8]
    /// Processes that outlived the task and were killed.
    public var swept: Int

    public init(outcome: Outcome, usage: Usage = Usage(), output: [UInt8] = [], swept: Int = 0) {
        self.outcome = outcome
        self.usage = usage
        self.output = output
        self.swept = swept
    }
}
