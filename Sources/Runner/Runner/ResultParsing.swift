// The JSON that comes with a result, as an outcome.

internal import CRunnerProtocol
internal import TaskModel
internal import TaskhostJSON

extension Outcome {
    /// nil: not what the protocol allows.
    init?(code: UInt16, json bytes: UnsafeRawBufferPointer) {
        switch UInt32(code) {
        case RESULT_SUCCESS.rawValue:
            self = .success([UInt8](bytes))
        case RESULT_IGNORE.rawValue:
            guard let json = document(bytes) else { return nil }
            self = .ignore(json["state"]?.text.map { LeftState(name: $0, meta: (json["meta"] ?? .null).bytes) })
        case RESULT_FAILURE.rawValue:
            guard let failure = TaskFailure(parsing: bytes) else { return nil }
            self = .failure(failure)
        case RESULT_RETRY.rawValue:
            guard let request = RetryRequest(parsing: bytes) else { return nil }
            self = .retry(request)
        case RESULT_REJECT.rawValue:
            guard let json = document(bytes) else { return nil }
            self = .reject(reason: json["reason"]?.text ?? "", requeue: json["requeue"]?.boolean ?? false)
        case RESULT_REPLACE.rawValue:
            self = .replace([UInt8](bytes))
        default:
            return nil
        }
    }
}

extension Submission {
    /// nil: not what the protocol allows.
    init?(code: UInt16, json bytes: UnsafeRawBufferPointer) {
        let kind: Kind
        switch UInt32(code) {
        case SEND_TASK.rawValue: kind = .send
        case SEND_TO_CHORD.rawValue: kind = .addToChord
        case SEND_MESSAGE.rawValue: kind = .message
        case SEND_CHILDREN.rawValue: kind = .children
        default: return nil
        }
        if kind == .message || kind == .children {
            self.init(kind: kind, content: [UInt8](bytes))
            return
        }
        guard let json = document(bytes), let id = json["id"]?.text, let signature = json["signature"] else {
            return nil
        }
        self.init(kind: kind, taskID: id, content: signature.bytes)
    }
}

extension TaskFailure {
    fileprivate init?(parsing bytes: UnsafeRawBufferPointer) {
        guard let json = document(bytes) else { return nil }
        self.init(json)
    }

    fileprivate init?(_ json: JSON) {
        guard let type = json["exc_type"]?.text else { return nil }
        let arguments = json["exc_message"] ?? .array([])
        self.init(
            type: type, module: json["exc_module"]?.text ?? "builtins",
            arguments: arguments.elements == nil ? JSON.array([arguments]).bytes : arguments.bytes,
            traceback: json["traceback"]?.text)
    }
}

extension RetryRequest {
    fileprivate init?(parsing bytes: UnsafeRawBufferPointer) {
        guard let json = document(bytes) else { return nil }
        self.init(countdown: json["countdown"]?.number)
        if let bound = json["max_retries"] {
            maxRetries = bound.integer.map { .atMost(Int($0)) } ?? .unlimited
        }
        arguments = json["args"]?.bytes
        keywords = json["kwargs"]?.bytes
        expires = json["expires"]?.number
        queue = json["queue"]?.text
        priority = json["priority"]?.integer.map { UInt8(clamping: $0) }
        next = json["next"]?.bytes
        if let exception = json["exc"], !exception.isNull { cause = TaskFailure(exception) }
    }
}

private func document(_ bytes: UnsafeRawBufferPointer) -> JSON? {
    do {
        return try JSON(parsing: bytes, limits: .trusted)
    } catch {
        return nil
    }
}

/// The two members of a state frame; nil: not what the protocol allows. The meta stays JSON.
func parseState(_ bytes: UnsafeRawBufferPointer) -> (state: String, meta: [UInt8])? {
    guard let json = document(bytes), let state = json["state"]?.text else { return nil }
    return (state, (json["meta"] ?? .null).bytes)
}
