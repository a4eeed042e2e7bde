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
        let list = arguments.map { String(decoding: JSON.array($0).bytes, as: UTF8.self) }
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
        withOptionalCString(retry.reason) {
            host.pointee.retry(task, retry.after.map { max(0, $0.inSeconds) } ?? -1, bound, $0)
        }
    }

    func reject(_ reject: Reject) { host.pointee.reject(task, reject.reason, reject.requeue) }

    func ignore() { host.pointee.ignore(task) }
}

func withOptionalCString<Result>(_ text: String?, _ use: (UnsafePointer<CChar>?) -> Result) -> Result {
    if let text { text.withCString { use($0) } } else { use(nil) }
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
