// The runner's function table and one task, as Swift calls.

/// Calls into the runner about one task. Valid until the handler returns; `TaskContext` sees to that and to calls
/// coming one at a time, hence `@unchecked Sendable`.
struct HostLink: @unchecked Sendable {
    let task: OpaquePointer
    let host: UnsafePointer<taskhost_host>

    func text(_ which: taskhost_text) -> String? {
        bytes(which) { String(decoding: $0, as: UTF8.self) }
    }

    /// nil when the message has no such text.
    func bytes<Result>(_ which: taskhost_text, _ use: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result? {
        var length = 0
        guard let start = host.pointee.text(task, Int32(which.rawValue), &length) else { return nil }
        return try use(UnsafeRawBufferPointer(start: start, count: length))
    }

    /// The message's arguments as the host has bound them: one for each parameter of the signature, without text where it
    /// takes its default; valid until the handler returns. nil: they don't fit, and the host has failed the task.
    func arguments() -> UnsafeBufferPointer<taskhost_slice>? {
        var count = 0
        guard let start = host.pointee.bind(task, &count) else { return nil }
        return UnsafeBufferPointer(start: start, count: count)
    }

    func number(_ which: taskhost_number) -> Double { host.pointee.number(task, Int32(which.rawValue)) }

    var shouldStop: Bool { host.pointee.should_stop(task) }

    var stopDescriptor: Int32 { host.pointee.stop_fd(task) }

    func updateState(_ state: String, meta: [UInt8]) {
        meta.withCharacters { host.pointee.update_state(task, state, $0, $1) }
    }

    func log(_ level: taskhost_level, _ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                host.pointee.log(task, Int32(level.rawValue), $0.baseAddress, $0.count)
            }
        }
    }

    func succeed(_ json: [UInt8]) {
        json.withCharacters { host.pointee.succeed(task, $0, $1) }
    }

    func fail(type: String, module: String, message: String, arguments: [JSON]?, traceback: String?) {
        let list = arguments.map { JSON.array($0).written }
        withOptionalCString(list) { list in
            withOptionalCString(traceback) { traceback in
                host.pointee.fail(task, type, module, message, list, traceback)
            }
        }
    }

    func retry(_ retry: Retry) {
        let bound: Int32 =
            switch retry.bound {
            case nil: -2
            case .never: 0
            case .atMost(let times): Int32(clamping: max(0, times))
            case .unlimited: -1
            }
        var failure = retry.failure
        if failure == nil, let reason = retry.reason { failure = TaskError(reason) }
        let list = failure?.errorArguments.map { JSON.array($0).written }
        withCStrings([
            failure?.errorType, failure?.errorModule, failure?.errorMessage, list,
            retry.arguments.map { JSON.array($0).written }, retry.keywords.map { JSON.object(sorted: $0).written },
            retry.queue,
        ]) { texts in
            var options = taskhost_retry_options()
            options.size = UInt32(MemoryLayout<taskhost_retry_options>.size)
            options.max_retries = bound
            options.countdown = retry.after.map { max(0, $0.inSeconds) } ?? -1
            options.expires = retry.expires?.inSeconds ?? 0
            options.type = texts[0]
            options.module = texts[1]
            options.message = texts[2]
            options.arguments = texts[3]
            options.args = texts[4]
            options.kwargs = texts[5]
            options.queue = texts[6]
            options.priority = retry.priority.map { Int32(clamping: max(0, min(255, $0))) } ?? -1
            host.pointee.retry_with(task, &options)
        }
    }

    func newID() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(TASKHOST_ID_SIZE)) {
            host.pointee.new_id($0.baseAddress)
            return $0.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    /// False: the host did not take it.
    func send(_ signature: [UInt8], id: String, toChord: Bool) -> Bool {
        let send: (@convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, Int) -> Bool)? =
            toChord ? host.pointee.add_to_chord : host.pointee.send
        return signature.withCharacters { characters, length in send?(task, id, characters, length) ?? false }
    }

    func replace(_ signature: [UInt8]) {
        signature.withCharacters { host.pointee.replace(task, $0, $1) }
    }

    func reject(_ reject: Reject) { host.pointee.reject(task, reject.reason, reject.requeue) }

    func ignore() { host.pointee.ignore(task) }
}

func withOptionalCString<Result>(_ text: String?, _ use: (UnsafePointer<CChar>?) -> Result) -> Result {
    if let text { text.withCString { use($0) } } else { use(nil) }
}

/// The texts as C strings, valid for the call; nil stays nil.
func withCStrings<Result>(_ texts: [String?], _ use: ([UnsafePointer<CChar>?]) -> Result) -> Result {
    func step(_ index: Int, _ pointers: [UnsafePointer<CChar>?]) -> Result {
        guard index < texts.count else { return use(pointers) }
        return withOptionalCString(texts[index]) { step(index + 1, pointers + [$0]) }
    }
    return step(0, [])
}

extension JSON {
    var written: String { String(decoding: bytes, as: UTF8.self) }
}

extension [UInt8] {
    /// For C functions that take text and its length.
    func withCharacters<Result>(_ use: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
        withUnsafeBytes { use($0.assumingMemoryBound(to: CChar.self).baseAddress, $0.count) }
    }
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
