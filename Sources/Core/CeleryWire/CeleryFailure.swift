// The failures the host itself reports, in the words Celery's clients know (celery-protocol.md §3.5–3.9).
public import TaskModel
import TaskhostJSON

public enum CeleryFailure {
    /// Killed at its hard limit of so many seconds.
    public static func timeLimitExceeded(_ seconds: Double) -> TaskFailure {
        let isWhole = seconds.rounded() == seconds && seconds.magnitude < 1e15
        return make(
            "TimeLimitExceeded", billiard, [isWhole ? .int(Int64(seconds)) : .double(seconds)])
    }

    /// Killed because its processes had too much memory: Python's own exception for it.
    public static func memoryLimitExceeded(_ excess: MemoryExcess) -> TaskFailure {
        make("MemoryError", "builtins", [.string(excess.sentence)])
    }

    /// The child died under the task.
    /// - Parameters:
    ///   - output: what the task last wrote; the end of it goes into the traceback, after the native stack.
    ///   - job: a number for the start, as Python workers have one; nil: left out.
    public static func workerLost(_ death: Death, output: [UInt8] = [], job: UInt64? = nil) -> TaskFailure {
        let number = job.map { " Job: \($0)." } ?? ""
        var failure = make(
            "WorkerLostError", billiard,
            [.string("Worker exited prematurely: \(death.causeText)\(number.isEmpty ? "." : number)")])
        failure.traceback = death.report(output: output)
        return failure
    }

    /// The host died under the task, again and again.
    public static func hostLost(_ reason: String) -> TaskFailure {
        make("WorkerLostError", billiard, [.string("Worker exited prematurely: \(reason).")])
    }

    /// No loaded bundle has a task of this name.
    public static func notRegistered(_ name: String) -> TaskFailure { make("NotRegistered", celery, [.string(name)]) }

    /// A message that cannot be read, or one beyond the bounds.
    public static func refused(_ error: WireError) -> TaskFailure {
        let text = JSON.string("the message was refused: \(error.detail)")
        switch error.code {
        case .refusedContentType: return make("ContentDisallowed", "kombu.exceptions", [text])
        case .badEncoding, .compressed, .malformedBody: return make("DecodeError", "kombu.exceptions", [text])
        case .tooLarge, .tooDeep, .tooManyValues, .badSignature, .notATask, .missingID, .malformedHeader, .badTime:
            return make("InvalidTaskError", celery, [text])
        }
    }

    public static func typeError(_ message: String) -> TaskFailure { make("TypeError", "builtins", [.string(message)]) }

    public static func maxRetriesExceeded(
        name: String, id: String, argsRepr: String, kwargsRepr: String
    ) -> TaskFailure {
        make(
            "MaxRetriesExceededError", celery,
            [.string("Can't retry \(name)[\(id)] args:\(argsRepr) kwargs:\(kwargsRepr)")])
    }

    public static func reject(reason: String, requeue: Bool) -> TaskFailure {
        make("Reject", celery, [.string(reason), .bool(requeue)])
    }

    /// The task left neither result nor failure; only its chord is notified.
    public static func ignored() -> TaskFailure { make("Ignore", celery, [.string("the task ended without a result")]) }

    /// Discarded before it ran: "expired", "revoked"; or killed on request: "terminated".
    public static func revoked(reason: String) -> TaskFailure { make("TaskRevokedError", celery, [.string(reason)]) }

    /// The store will never take the result (too large, not permitted).
    public static func storeRefused(_ detail: String) -> TaskFailure {
        make("BackendStoreError", celery, [.string("the result was refused by the result store: \(detail)")])
    }

    /// The broker will never take a message; Python's name for a failed publication.
    public static func unsendable(_ detail: String) -> TaskFailure {
        make("OperationalError", "kombu.exceptions", [.string(detail)])
    }

    /// The task's result is not JSON.
    public static func encodeError(_ detail: String) -> TaskFailure {
        make("EncodeError", "kombu.exceptions", [.string("the task's result is not JSON: \(detail)")])
    }

    private static let billiard = "billiard.exceptions"
    private static let celery = "celery.exceptions"

    private static func make(_ type: String, _ module: String, _ arguments: [JSON]) -> TaskFailure {
        TaskFailure(type: type, module: module, arguments: JSON.array(arguments).bytes)
    }
}
