// What handlers see and say while they run, and where async work runs.

import Glibc
import Synchronization
import TaskhostSDK
import TaskhostTesting
import Testing

private struct Curious: TaskHandler {
    func run(_ task: TaskContext) throws -> [String] {
        task.progress(1, 4)
        try task.state("HALFWAY", ["at": 0.5])
        task.log("hello")
        task.log(.error, "ünd")
        return [
            task.id, task.rootID ?? "-", "\(task.retries)", "\(task.starts)", task.maxRetries.map(String.init) ?? "-",
            task.timeLeft.map { "\($0)" } ?? "-", String(decoding: task.headers["deep"]?.bytes ?? [], as: UTF8.self),
            String(decoding: task.bodyBytes, as: UTF8.self),
        ]
    }
}

private let kept = Mutex<TaskContext?>(nil)

private struct Leaky: TaskHandler {
    func run(_ task: TaskContext) { kept.withLock { $0 = task } }
}

private actor Counter {
    var count = 0
    func increase() -> Int {
        count += 1
        return count
    }
}

private struct Busy: TaskHandler {
    func run(_ task: TaskContext) async throws -> [Int] {
        let thread = pthread_self()
        let counter = Counter()
        async let child = pthread_self() == thread
        let group = await withTaskGroup(of: Int.self) { group in
            for number in 0..<100 { group.addTask { number } }
            return await group.reduce(0, +)
        }
        var count = 0
        for _ in 0..<10 { count = await counter.increase() }
        let detached = await Task.detached { pthread_self() != thread }.value
        try await Task.sleep(for: .milliseconds(1))
        return [group, count, await child ? 1 : 0, detached ? 1 : 0, pthread_self() == thread ? 1 : 0]
    }
}

@Suite("context")
struct ContextTests {
    @Test("a handler reads its message and reports progress, states and lines")
    func everything() async {
        let report = await run(TaskBundle("t", version: "1") { Curious.self }, "[[],{},{}]") {
            $0.number = { which in
                switch UInt32(which) {
                case TASKHOST_NUMBER_RETRIES.rawValue: 2
                case TASKHOST_NUMBER_STARTS.rawValue: 3
                case TASKHOST_NUMBER_MAX_RETRIES.rawValue: -1
                case TASKHOST_NUMBER_TIME_LEFT.rawValue: 1.5
                default: 0
                }
            }
        }
        #expect(report.value == ##"["id-1","-","2","3","-","1.5 seconds","{\"n\":1}","[[],{},{}]"]"##)
        let progress = #"PROGRESS {"done":1,"total":4,"current":1,"percent":25.0}"#
        #expect(report.states == [progress, #"HALFWAY {"at":0.5}"#])
        #expect(report.lines == ["1 hello", "3 ünd"])
    }

    @Test("a context that outlives its task is deaf and dumb")
    func outlived() async throws {
        let report = await run(TaskBundle("t", version: "1") { Leaky.self }, "[[],{},{}]")
        #expect(report.ending == "success")
        let context = try #require(kept.withLock { $0 })
        context.progress(1, 1)
        #expect(context.id == "")
        #expect(context.stopFD == -1)
    }

    @Test("async work stays on the child's thread unless it leaves it by itself")
    func threads() async {
        let report = await run(TaskBundle("t", version: "1") { Busy.self }, "[[],{},{}]")
        #expect(report.value == "[4950,10,1,1,1]")
    }
}
