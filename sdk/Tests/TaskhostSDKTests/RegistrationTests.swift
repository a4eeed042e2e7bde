// What the manifest learns from Swift types.

import TaskhostSDK
import TaskhostTesting
import Testing

private struct Report3: Codable, Sendable {}

private struct ResizeAll: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(5), hardLimit: .milliseconds(10_500), retry: .backoff(maxRetries: 4, first: .seconds(2)),
        keep: 8, acksLate: false, trackStarted: true, doc: "Makes all of them smaller.", rateLimit: "10/s",
        maxStarts: 2, acksOnFailure: false, acksOnTimeout: false, rejectOnWorkerLost: true,
        maxConcurrent: 3, limitScope: .global, limitKey: "paths")
    @Arg var paths: [String]
    @Arg var sizes: [String: Int?] = ["a,b": 1]
    @Arg var quality: Int?
    func run(_ task: TaskContext) -> Report3 { Report3() }
}

private struct Ping: TaskHandler {
    static let options = TaskOptions(
        name: "net.ping", retry: .never,
        schedules: [
            TaskSchedule("often", every: .seconds(90), args: [1, "a"], kwargs: ["b": true, "a": .null], priority: 4),
            TaskSchedule("nightly", cron: "30 2 * * *", timezone: "Europe/Berlin"),
        ])
    func run(_ task: TaskContext) {}
}

private struct Plain: TaskHandler {
    var forgotten = 1
    func run(_ task: TaskContext) {}
}

private struct Disordered: TaskHandler {
    @Arg var first = 1
    @Arg var second: Int
    func run(_ task: TaskContext) {}
}

private struct HTTPFetch: TaskHandler {
    func run(_ task: TaskContext) -> [Double?] { [] }
}

@Suite("registration")
struct RegistrationTests {
    @Test("name, signature and options come from the type")
    func manifest() async throws {
        let (status, tasks) = await FakeHost.register(
            TaskBundle("images", version: "1.4.0") {
                ResizeAll.self
                Ping.self
            })
        #expect(status == 0)
        #expect(tasks.count == 2)
        let resize = try #require(tasks.first)
        #expect(resize.name == "images.resize_all")
        #expect(resize.optionName == "images.resize_all")
        #expect(
            resize.signature == #"paths:[String],sizes:[String:Int?]={"a,b":1},quality:Int?=null->Report3"#)
        let options = try #require(resize.options)
        #expect(options.soft_limit == 5)
        #expect(options.hard_limit == 10.5)
        #expect(options.max_retries == 4)
        #expect(options.retry_backoff == 2)
        #expect(options.keep == 8)
        #expect(options.acks_late == -1)
        #expect(options.track_started == 1)
        #expect(options.ignore_result == 0)
        #expect(options.max_starts == 2)
        #expect(options.acks_on_failure == -1)
        #expect(options.acks_on_timeout == -1)
        #expect(options.reject_on_worker_lost == 1)
        #expect(resize.doc == "Makes all of them smaller.")
        #expect(resize.rateLimit == "10/s")
        #expect(options.max_concurrent == 3)
        #expect(resize.limit == ["global", "paths"])
        let ping = try #require(tasks.last)
        #expect(ping.name == "net.ping")
        #expect(ping.signature == "->Void")
        #expect(ping.options?.max_retries == -1)
    }

    @Test("schedules are told after the tasks, with their arguments as JSON")
    func schedules() async throws {
        let (status, tasks) = await FakeHost.register(TaskBundle("net", version: "1") { Ping.self })
        #expect(status == 0 && tasks.count == 1)
        #expect(
            try #require(tasks.first).schedules == [
                #"often | net.ping | 90.0 | [1,"a"] | {"a":null,"b":true} | UTC | 4"#,
                "nightly | net.ping | 30 2 * * * | [] | {} | Europe/Berlin | 0",
            ])
    }

    @Test("names and types are written as people write them")
    func names() async throws {
        let (_, tasks) = await FakeHost.register(TaskBundle("b", version: "1") { HTTPFetch.self })
        #expect(tasks.first?.name == "b.http_fetch")
        #expect(tasks.first?.signature == "->[Double?]")
    }

    @Test("a property that is no argument, or out of order, refuses the bundle")
    func refusals() async {
        #expect(await FakeHost.register(TaskBundle("b", version: "1") { Plain.self }).0 == 1)
        #expect(await FakeHost.register(TaskBundle("b", version: "1") { Disordered.self }).0 == 1)
    }

    @Test("a host that refuses the bundle is told no tasks, and its number is handed on")
    func refusedByHost() async {
        let (status, tasks) = await FakeHost.register(
            TaskBundle("b", version: "1") { Ping.self }, describeAnswers: 42)
        #expect(status == 42)
        #expect(tasks.isEmpty)
    }
}
