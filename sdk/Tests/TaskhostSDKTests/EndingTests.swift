// How errors, verbs and the soft limit reach the host.

import Glibc
import TaskhostSDK
import TaskhostTesting
import Testing

private enum PictureError: Error { case tooDark(level: Int) }

private struct Named: NamedError {
    var errorMessage: String { "by name" }
    var errorModule: String { "pictures.errors" }
    var errorArguments: [JSON]? { [.string("by name"), .int(7)] }
}

private struct Throwing: TaskHandler {
    @Arg var what: String
    func run(_ task: TaskContext) throws {
        switch what {
        case "enum": throw PictureError.tooDark(level: 3)
        case "named": throw Named()
        case "value": throw TaskError(type: "ValueError", module: "builtins", "bad width")
        case "retry": throw Retry(after: .milliseconds(1500), reason: "busy")
        case "retry by policy": throw Retry()
        case "retry for ever": throw Retry(bound: .unlimited)
        case "retry elsewhere": throw Retry(queue: "low", priority: 3)
        case "reject": throw Reject(reason: "no")
        case "requeue": throw Reject(requeue: true)
        case "ignore": throw Ignore()
        default: throw CancellationError()
        }
    }
}

/// Spins over await points: only the loop can cancel it.
private struct Yielding: TaskHandler {
    func run(_ task: TaskContext) async throws -> Int {
        while true {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

private struct Sleeping: TaskHandler {
    @Arg var catches = false
    func run(_ task: TaskContext) async throws -> String {
        do {
            try await Task.sleep(for: .seconds(60))
            return "slept"
        } catch {
            guard catches else { throw error }
            return "cleaned up"
        }
    }
}

private struct Spinning: TaskHandler {
    func run(_ task: TaskContext) throws -> Int {
        while true { try task.checkStop() }
    }
}

private let throwing = TaskBundle("t", version: "1") { Throwing.self }

@Suite("endings")
struct EndingTests {
    @Test("a Swift error fails the task under its type's name")
    func swiftError() async {
        let report = await run(throwing, #"[["enum"],{},{}]"#)
        #expect(report.type == "PictureError")
        #expect(report.module == "taskhost.errors")
        #expect(report.message == "tooDark(level: 3)")
        #expect(report.arguments == nil)
    }

    @Test("an error may say its own name, module and arguments")
    func namedError() async {
        let report = await run(throwing, #"[["named"],{},{}]"#)
        #expect(report.type == "Named")
        #expect(report.module == "pictures.errors")
        #expect(report.arguments == #"["by name",7]"#)
        let value = await run(throwing, #"[["value"],{},{}]"#)
        #expect(value.type == "ValueError")
        #expect(value.module == "builtins")
        #expect(value.message == "bad width")
    }

    @Test("a retry carries its delay, and what it leaves out is the policy's")
    func retry() async {
        let timed = await run(throwing, #"[["retry"],{},{}]"#)
        #expect(timed.ending == "retry")
        #expect(timed.countdown == 1.5)
        #expect(timed.maxRetries == -2)
        #expect(timed.message == "busy")
        let plain = await run(throwing, #"[["retry by policy"],{},{}]"#)
        #expect(plain.countdown == -1)
        #expect(plain.queue == nil && plain.priority == -1)
        let elsewhere = await run(throwing, #"[["retry elsewhere"],{},{}]"#)
        #expect(elsewhere.queue == "low" && elsewhere.priority == 3)
        #expect(await run(throwing, #"[["retry for ever"],{},{}]"#).maxRetries == -1)
    }

    @Test("reject, requeue and ignore reach the host as such")
    func verbs() async {
        #expect(await run(throwing, #"[["reject"],{},{}]"#).ending == "reject")
        #expect(await run(throwing, #"[["requeue"],{},{}]"#).ending == "reject, requeue")
        #expect(await run(throwing, #"[["ignore"],{},{}]"#).ending == "ignore")
    }

    @Test("a cancellation of the task's own making is an error like others")
    func ownCancellation() async {
        let report = await run(throwing, #"[["cancel"],{},{}]"#)
        #expect(report.type == "CancellationError")
        #expect(report.module == "taskhost.errors")
    }

    @Test("from the soft limit on the Swift task is cancelled, and that is SoftTimeLimitExceeded")
    func softLimitAtYield() async {
        let report = await run(TaskBundle("t", version: "1") { Yielding.self }, "[[],{},{}]") {
            $0.stopsAfterLooks = 20
        }
        #expect(report.type == "SoftTimeLimitExceeded")
        #expect(report.module == "billiard.exceptions")
        #expect(report.message == "the task stopped at its soft limit")
    }

    @Test("the stop descriptor wakes a sleeping handler, which may clean up", arguments: [false, true])
    func softLimitAsleep(catches: Bool) async {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let writer = ends[1]
        defer {
            close(ends[0])
            close(writer)
        }
        let descriptor = ends[0]
        #expect(write(writer, "x", 1) == 1)
        let report = await run(TaskBundle("t", version: "1") { Sleeping.self }, "[[\(catches)],{},{}]") {
            $0.stopDescriptor = descriptor
            $0.stopsAfterLooks = 2
        }
        if catches {
            #expect(report.value == #""cleaned up""#)
        } else {
            #expect(report.type == "SoftTimeLimitExceeded")
        }
    }

    @Test("a handler that never awaits learns of the soft limit by asking")
    func spinning() async {
        let report = await run(TaskBundle("t", version: "1") { Spinning.self }, "[[],{},{}]") {
            $0.stopsAfterLooks = 1000
        }
        #expect(report.type == "SoftTimeLimitExceeded")
    }
}
