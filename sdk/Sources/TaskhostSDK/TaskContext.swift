// What a running task knows and may say.

/// The task being run. May be used from any thread; once `run` has returned, calls do nothing and texts are empty.
public final class TaskContext: Sendable {
    private let link: Guarded<HostLink?>

    init(_ link: HostLink?) {
        self.link = Guarded(link)
    }

    /// A context without a host, for testing a handler by itself: it knows nothing and says nothing.
    public convenience init() {
        self.init(nil)
    }

    /// From now on the runner cannot be reached through this context.
    func end() {
        link.withLock { $0 = nil }
    }

    private func ask<Answer: Sendable>(_ otherwise: Answer, _ question: (HostLink) -> Answer) -> Answer {
        link.withLock { link in link.map(question) ?? otherwise }
    }

    // MARK: who and where

    public var id: String { ask("") { $0.text(TASKHOST_TEXT_ID) ?? "" } }
    public var name: String { ask("") { $0.text(TASKHOST_TEXT_NAME) ?? "" } }
    public var queue: String { ask("") { $0.text(TASKHOST_TEXT_QUEUE) ?? "" } }
    /// The first task of the workflow this one belongs to.
    public var rootID: String? { ask(nil) { $0.text(TASKHOST_TEXT_ROOT_ID) } }
    /// The task that sent this one.
    public var parentID: String? { ask(nil) { $0.text(TASKHOST_TEXT_PARENT_ID) } }
    public var groupID: String? { ask(nil) { $0.text(TASKHOST_TEXT_GROUP_ID) } }

    /// W3C trace context of this run, "00-<trace>-<span>-<flags>": what spans of the task's own belong to. nil when its
    /// message belongs to no trace. The host puts it into everything the task sends.
    public var traceparent: String? { ask(nil) { $0.text(TASKHOST_TEXT_TRACEPARENT) } }
    public var tracestate: String? { ask(nil) { $0.text(TASKHOST_TEXT_TRACESTATE) } }

    /// Attempts made before this one, as Celery counts.
    public var retries: Int { ask(0) { Int($0.number(TASKHOST_NUMBER_RETRIES)) } }
    /// Starts of this attempt including this one; above 1 after a crash.
    public var starts: Int { ask(1) { Int($0.number(TASKHOST_NUMBER_STARTS)) } }
    /// nil: unlimited.
    public var maxRetries: Int? {
        ask(nil) {
            let bound = $0.number(TASKHOST_NUMBER_MAX_RETRIES)
            return bound < 0 ? nil : Int(bound)
        }
    }
    /// The broker has delivered the message before.
    public var isRedelivered: Bool { ask(false) { $0.number(TASKHOST_NUMBER_REDELIVERED) != 0 } }
    /// The earliest start the sender asked for, in seconds since 1970 UTC.
    public var eta: Double? {
        ask(nil) {
            let eta = $0.number(TASKHOST_NUMBER_ETA)
            return eta > 0 ? eta : nil
        }
    }

    // MARK: time

    /// To the hard limit; nil without one.
    public var timeLeft: Duration? {
        ask(nil) {
            let seconds = $0.number(TASKHOST_NUMBER_TIME_LEFT)
            return seconds.isFinite ? .seconds(seconds) : nil
        }
    }
    /// True from the soft limit (or a revocation) on. From then on the Swift task is cancelled, too, but a loop that
    /// never awaits only learns of it here.
    public var shouldStop: Bool { ask(false) { $0.shouldStop } }
    /// Readable from then on, for `poll` and the like; -1 if the system has no descriptor left. Don't read or close it.
    public var stopFD: Int32 { ask(-1) { $0.stopDescriptor } }

    /// For loops that never await: throws `CancellationError` from the soft limit on.
    public func checkStop() throws {
        if shouldStop { throw CancellationError() }
    }

    // MARK: saying

    /// State PROGRESS with `{"done": …, "total": …}`, and for who reads Celery's examples and celery-progress the same as
    /// `current` and `percent`.
    public func progress(_ done: Int, _ total: Int) {
        let percent = total > 0 ? (1e4 * Double(done) / Double(total)).rounded() / 100 : 0
        let meta = JSON.object([
            JSONMember(key: "done", value: .int(Int64(done))), JSONMember(key: "total", value: .int(Int64(total))),
            JSONMember(key: "current", value: .int(Int64(done))), JSONMember(key: "percent", value: .double(percent)),
        ])
        link.withLock { $0?.updateState("PROGRESS", meta: meta.bytes) }
    }

    /// A state of your own: an upper-case word, and whatever clients should see with it.
    ///
    /// Throws what encoding `meta` throws, and `TaskError` for SUCCESS, FAILURE, RETRY and REVOKED: these are how a
    /// task ends, and clients read what lies under them as its result or its exception.
    public func state<Meta: Encodable>(_ state: String, _ meta: Meta) throws {
        guard !["SUCCESS", "FAILURE", "RETRY", "REVOKED"].contains(state) else {
            throw TaskError(
                type: "ValueError", "\(state) is how a task ends, no state of its own: give it another name")
        }
        let bytes = try JSON(encoding: meta).bytes
        link.withLock { $0?.updateState(state, meta: bytes) }
    }

    public enum LogLevel: Sendable {
        case debug, info, warning, error
    }

    /// A line in the host's log at level info, with the task's id.
    public func log(_ text: String) { log(.info, text) }

    /// A line in the host's log, with the task's id.
    public func log(_ level: LogLevel, _ text: String) {
        let number =
            switch level {
            case .debug: TASKHOST_DEBUG
            case .info: TASKHOST_INFO
            case .warning: TASKHOST_WARNING
            case .error: TASKHOST_ERROR
            }
        link.withLock { $0?.log(number, text) }
    }

    // MARK: other tasks

    /// Sends a task, chain, group or chord; it is published while this task runs on. The result may be returned by
    /// the task: clients can wait for it.
    ///
    /// Throws `TaskError` when this task is over.
    @discardableResult
    public func send(_ signature: Signature) throws -> SentTask { try submit(signature, toChord: false) }

    /// Sends one member more of the chord that this task is part of.
    ///
    /// Throws `TaskError` when this task is over.
    @discardableResult
    public func addToChord(_ signature: Signature) throws -> SentTask { try submit(signature, toChord: true) }

    private func submit(_ signature: Signature, toChord: Bool) throws -> SentTask {
        let sent: SentTask? = link.withLock { link in
            guard let link else { return nil }
            let (frozen, sent) = Freezer(newID: link.newID).freeze(signature)
            return link.send(frozen.json.bytes, id: sent.id, toChord: toChord) ? sent : nil
        }
        guard let sent else {
            throw TaskError(type: "RuntimeError", "\(signature.task) can't be sent: the task that sends it is over")
        }
        return sent
    }

    // MARK: the message as it came

    /// JSON text of `[args, kwargs, embed]`.
    public var bodyBytes: [UInt8] { ask([]) { $0.bytes(TASKHOST_TEXT_BODY) { Array($0) } ?? [] } }

    /// All headers of the message, an object.
    public var headers: JSON { object(TASKHOST_TEXT_HEADERS) }

    /// The message's properties under their AMQP names, those that are set: "app_id", "correlation_id" …
    public var properties: JSON { object(TASKHOST_TEXT_PROPERTIES) }

    /// 0…255 as the sender gave it; nil when it gave none.
    public var priority: Int? { properties["priority"]?.integer.map { Int($0) } }

    /// Where the sender waits for the result.
    public var replyTo: String? { properties["reply_to"]?.text }

    private func object(_ which: taskhost_text) -> JSON {
        ask(.object([])) { link in
            let parsed = link.bytes(which) { text in Result { try JSON(parsing: text, limits: .trusted) } }
            guard case .success(let object)? = parsed else { return .object([]) }
            return object
        }
    }
}
