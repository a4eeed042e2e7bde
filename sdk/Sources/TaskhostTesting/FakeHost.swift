// The host of TaskTest and of the SDK's own tests. A host table that only remembers: what a bundle registers, and what its handlers report. It does not bind: the runner
// does, and its tests are Tests/RunnerProgram and Tests/OutOfTree.

import Dispatch
import Glibc
package import TaskhostSDK

#if canImport(TaskhostJSON)
    import TaskhostJSON
#endif

/// What a handler reported about one task.
package struct Report: Sendable, Equatable {
    package var ending = ""
    package var value = ""
    package var type = ""
    package var module = ""
    package var message = ""
    package var arguments: String?
    package var countdown: Double?
    package var maxRetries: Int32?
    package var states: [String] = []
    package var lines: [String] = []
    /// "send" or "chord", the id, the signature.
    package var sent: [[String]] = []
    package var newArguments: String?
    package var queue: String?
    package var priority: Int32 = -1
    package var keywords: String?
    package var expires: Double?

    package init(ending: String = "") {
        self.ending = ending
    }
}

/// One task as the fake runner holds it. Touched by one thread at a time: the loop queue, or a handler under its lock.
package final class FakeTask: @unchecked Sendable {
    package var body: [UInt8]
    package var headers = Array(#"{"origin":"gen1@here","deep":{"n":1}}"#.utf8)
    package var number: @Sendable (Int32) -> Double = { _ in 0 }
    /// Asked at every look of the loop.
    package var stopsAfterLooks = Int.max
    package var stopDescriptor: Int32 = -1
    package var report = Report()
    /// One for each parameter, nil: not given. What is beyond them is not given, either. nil: they don't fit.
    package var arguments: [String?]? = []

    package init(bodyBytes: [UInt8]) {
        body = bodyBytes
    }

    /// The body's positional arguments are those of the first parameters; nil: it has keyword arguments, too.
    package init?(_ body: String) throws {
        self.body = Array(body.utf8)
        let parts = try JSONScan.topLevelArray(self.body).map { Array(self.body[$0]) }
        guard try JSONScan.topLevelObject(parts[1]).isEmpty else { return nil }
        arguments = try JSONScan.topLevelArray(parts[0]).map { String(decoding: parts[0][$0], as: UTF8.self) }
    }

    static func of(_ pointer: OpaquePointer?) -> FakeTask {
        Unmanaged<FakeTask>.fromOpaque(UnsafeRawPointer(pointer!)).takeUnretainedValue()
    }
}

/// What a bundle registered.
package struct Registration {
    package var name: String
    package var signature: String
    package var options: taskhost_options?
    package var optionName: String?
    package var doc: String?
    package var rateLimit: String?
    /// Name, task, when, arguments.
    package var schedules: [String] = []
    /// Scope and key.
    package var limit: [String?] = []
    fileprivate let handler: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void
    fileprivate let user: UnsafeMutableRawPointer?
}

extension Registration: @unchecked Sendable {}

/// Registration happens under `lock`, so that the table's context-free functions know whose it is.
package enum FakeHost {
    nonisolated(unsafe) fileprivate static var registered: [Registration] = []
    package nonisolated(unsafe) static var bundle = ""
    package nonisolated(unsafe) static var answer: Int32 = 0
    /// Of the last new id.
    package nonisolated(unsafe) static var ids = 0
    /// Also the one thread at a time that handlers run on, apart from the tests' own pool.
    private static let queue = DispatchQueue(label: "fake host")

    nonisolated(unsafe) private static let table: UnsafeMutablePointer<taskhost_host> = {
        let table = UnsafeMutablePointer<taskhost_host>.allocate(capacity: 1)
        table.initialize(to: makeTable())
        return table
    }()

    package static func register(
        _ bundle: TaskBundle, describeAnswers answer: Int32 = 0
    ) async -> (Int32, [Registration]) {
        await withCheckedContinuation { continuation in
            queue.async {
                registered = []
                self.answer = answer
                let status = bundle.register(with: table)
                continuation.resume(returning: (status, registered))
            }
        }
    }

    package static func run(_ registration: Registration, _ task: FakeTask) async -> Report {
        await withCheckedContinuation { continuation in
            queue.async {
                registration.handler(OpaquePointer(Unmanaged.passUnretained(task).toOpaque()), registration.user)
                continuation.resume(returning: task.report)
            }
        }
    }

    private static func note(
        _ kind: String, _ task: OpaquePointer?, _ id: UnsafePointer<CChar>?, _ signature: UnsafePointer<CChar>?,
        _ length: Int
    ) -> Bool {
        FakeTask.of(task).report.sent.append([kind, String(cString: id!), text(signature, length)])
        return true
    }

    private static func makeTable() -> taskhost_host {
        var host = taskhost_host()
        host.size = UInt32(MemoryLayout<taskhost_host>.size)
        host.describe = { info in
            FakeHost.bundle = [info!.pointee.name, info!.pointee.version, info!.pointee.sdk]
                .map { String(cString: $0!) }.joined(separator: " ")
            return FakeHost.answer
        }
        host.add = { task in
            let task = task!.pointee
            let options = task.options?.pointee
            FakeHost.registered.append(
                Registration(
                    name: String(cString: task.name), signature: String(cString: task.signature), options: options,
                    optionName: options?.name.map { String(cString: $0) },
                    doc: options?.doc.map { String(cString: $0) },
                    rateLimit: options?.rate_limit.map { String(cString: $0) },
                    limit: [options?.limit_scope, options?.limit_key].map { $0?.map { String(cString: $0) } },
                    handler: task.handler, user: task.user))
            return 0
        }
        host.schedule = { schedule in
            let schedule = schedule!.pointee
            let when = schedule.cron.map { String(cString: $0) } ?? "\(schedule.every)"
            let text = [
                String(cString: schedule.name), String(cString: schedule.task), when, String(cString: schedule.args),
                String(cString: schedule.kwargs), schedule.timezone.map { String(cString: $0) } ?? "UTC",
                "\(schedule.priority)",
            ].joined(separator: " | ")
            let name = String(cString: schedule.task)
            guard let place = FakeHost.registered.firstIndex(where: { $0.name == name }) else { return 1 }
            FakeHost.registered[place].schedules.append(text)
            return 0
        }
        host.text = { task, which, length in
            let bytes: [UInt8]
            switch UInt32(which) {
            case TASKHOST_TEXT_ID.rawValue: bytes = Array("id-1".utf8)
            case TASKHOST_TEXT_BODY.rawValue: bytes = FakeTask.of(task).body
            case TASKHOST_TEXT_PROPERTIES.rawValue: bytes = Array(#"{"priority":7,"reply_to":"here"}"#.utf8)
            case TASKHOST_TEXT_HEADERS.rawValue: bytes = FakeTask.of(task).headers
            default: return nil
            }
            length?.pointee = bytes.count
            return leaked(bytes)
        }
        host.bind = { task, count in
            guard let given = FakeTask.of(task).arguments else {
                FakeTask.of(task).report.ending = "refused"
                return nil
            }
            let slices = UnsafeMutablePointer<taskhost_slice>.allocate(capacity: 32)
            slices.initialize(repeating: taskhost_slice(), count: 32)
            for (index, text) in given.enumerated() {
                guard let text else { continue }
                slices[index] = taskhost_slice(text: leaked(Array(text.utf8)), length: text.utf8.count)
            }
            count?.pointee = 32
            return UnsafePointer(slices)
        }
        host.number = { task, which in FakeTask.of(task).number(which) }
        host.should_stop = { task in
            let task = FakeTask.of(task)
            task.stopsAfterLooks -= task.stopsAfterLooks == .max ? 0 : 1
            return task.stopsAfterLooks <= 0
        }
        host.stop_fd = { FakeTask.of($0).stopDescriptor }
        host.update_state = { task, state, meta, length in
            FakeTask.of(task).report.states.append(String(cString: state!) + " " + text(meta, length))
        }
        host.log = { task, level, line, length in
            FakeTask.of(task).report.lines.append("\(level) " + text(line, length))
        }
        host.succeed = { task, json, length in
            FakeTask.of(task).report.ending = "success"
            FakeTask.of(task).report.value = text(json, length)
        }
        host.fail = { task, type, module, message, arguments, _ in
            let task = FakeTask.of(task)
            task.report.ending = "failure"
            task.report.type = String(cString: type!)
            task.report.module = String(cString: module!)
            task.report.message = String(cString: message!)
            task.report.arguments = arguments.map { String(cString: $0) }
        }
        host.retry_with = { task, retry in
            let task = FakeTask.of(task)
            let retry = retry!.pointee
            task.report.ending = "retry"
            task.report.countdown = retry.countdown
            task.report.maxRetries = retry.max_retries
            task.report.type = retry.type.map { String(cString: $0) } ?? ""
            task.report.message = retry.message.map { String(cString: $0) } ?? ""
            task.report.newArguments = retry.args.map { String(cString: $0) }
            task.report.queue = retry.queue.map { String(cString: $0) }
            task.report.priority = retry.priority
            task.report.keywords = retry.kwargs.map { String(cString: $0) }
            task.report.expires = retry.expires
        }
        host.new_id = { id in
            FakeHost.ids += 1
            _ = "new-\(FakeHost.ids)".withCString { strcpy(id!, $0) }
        }
        host.send = { FakeHost.note("send", $0, $1, $2, $3) }
        host.add_to_chord = { FakeHost.note("chord", $0, $1, $2, $3) }
        host.replace = { task, signature, length in
            FakeTask.of(task).report.ending = "replace"
            FakeTask.of(task).report.value = text(signature, length)
        }
        host.reject = { task, reason, requeue in
            FakeTask.of(task).report.ending = requeue ? "reject, requeue" : "reject"
            FakeTask.of(task).report.message = String(cString: reason!)
        }
        host.ignore = { FakeTask.of($0).report.ending = "ignore" }
        return host
    }
}

/// Leaked on purpose: the contract lets texts live as long as the task.
private func leaked(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
    copy[bytes.count] = 0
    return UnsafePointer(copy)
}

private func text(_ start: UnsafePointer<CChar>?, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
}

/// Registers `bundle` (of one task) and runs that task once.
package func run(_ bundle: TaskBundle, _ body: String, _ adjust: (FakeTask) -> Void = { _ in }) async -> Report {
    let (status, tasks) = await FakeHost.register(bundle)
    guard status == 0, let task = tasks.first else { return Report(ending: "not registered") }
    guard let fake = try? FakeTask(body) else { return Report(ending: "the fake host can't bind this") }
    adjust(fake)
    return await FakeHost.run(task, fake)
}
