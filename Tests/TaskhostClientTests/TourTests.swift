// What a Swift program does with its tasks, against taskhost and against Python's worker.
import Foundation
import TaskhostClient
import Testing

private let patience = Duration.seconds(20)

/// A worker and a client of the same queue.
private func tour(
    _ worker: WorkerKind, _ results: ResultsKind, _ walk: (TaskhostClient) async throws -> Void
) async throws {
    let worker = try TourWorker(worker, results)
    var options = ClientOptions()
    options.defaultQueue = worker.queue
    let client = try TaskhostClient(broker: worker.broker, backend: worker.backend, options: options)
    do {
        try await walk(client)
    } catch {
        Issue.record("\(error)\n\(worker.log)")
    }
    await client.close()
}

private let add = TaskName("tour.add")
private let multiply = TaskName("tour.multiply")
private let total = TaskName("tour.total")

@Suite("Client and workers", .serialized) struct TourTests {
    @Test("calls, failures and progress arrive", arguments: WorkerKind.allCases, ResultsKind.allCases)
    func calls(_ worker: WorkerKind, _ results: ResultsKind) async throws {
        try await tour(worker, results) { client in
            let sum = try await client.send("tour.add", 4, 6)
            #expect(try await sum.get(timeout: patience) == 10)
            #expect(try await sum.isReady)
            let named = try await client.send("tour.add", kwargs: ["x": 1, "y": 2])
            #expect(try await named.get(timeout: patience) == 3)

            let photo = Photo(name: "ñandú", size: [800, 600], taken: Date(timeIntervalSince1970: 1_800_000_000.5))
            let echo = try await client.send("tour.echo", photo)
            #expect(try await echo.get(timeout: patience) == photo)

            let failing = try await client.send("tour.fail", "no good")
            await #expect {
                let _: Int = try await failing.get(timeout: patience)
            } throws: { error in
                guard let failure = error as? TaskFailed else { return false }
                return failure.type == "ValueError" && failure.message == "no good" && failure.state == "FAILURE"
            }

            let walking = try await client.send("tour.steps", 4)
            var last: TaskUpdate?
            for try await update in walking.updates() { last = update }
            #expect(try last?.decode(as: Int.self) == 4)
        }
    }

    @Test("the tutorial's chain is 20, its group [3, 7, 11], its chord 21", arguments: WorkerKind.allCases)
    func tutorial(_ worker: WorkerKind) async throws {
        try await tour(worker, .redis) { client in
            let product = try await client.send(add(4, 6) | multiply(2))
            #expect(try await product.get(timeout: patience) == 20)
            guard case .task(let sum)? = product.parent else {
                Issue.record("a chain's result has no parent")
                return
            }
            #expect(try await sum.get(timeout: patience) == 10)
            #expect(try await sum.children.map(\.results).flatMap { $0 }.map(\.id) == [product.id])

            let sums = try await client.send(group(add(1, 2), add(3, 4), add(5, 6)))
            #expect(try await sums.get(timeout: patience) == [3, 7, 11])
            #expect(try await sums.completedCount == 3)

            let header = group(add(1, 2), add(3, 4), add(5, 6))
            #expect(try await client.send(header | total()).get(timeout: patience) == 21)
            let chord = chord([add(1, 2), add(3, 4), add(5, 6)], total() | add(1))
            #expect(try await client.send(chord).get(timeout: patience) == 22)
        }
    }

    @Test("tasks called by their declarations", arguments: WorkerKind.allCases, ResultsKind.allCases)
    func typed(_ worker: WorkerKind, _ results: ResultsKind) async throws {
        try await tour(worker, results) { client in
            let sum = try await client.send(Add(x: 4, y: 6)).get(timeout: patience)
            #expect(sum + 0 == 10)
            var quickly = CallOptions()
            quickly.taskID = UUID().uuidString
            let photo = Photo(name: "ñandú", size: [1, 2], taken: Date(timeIntervalSince1970: 1_800_000_000))
            let echo = try await client.send(Echo(value: photo), options: quickly)
            #expect(echo.id == quickly.taskID)
            #expect(try await echo.get(timeout: patience) == photo)
            let failing = try await client.send(Fail(text: "no good"))
            await #expect {
                try await failing.get(timeout: patience)
            } throws: { ($0 as? TaskFailed)?.message == "no good" }
            #expect(try await failing.untyped.state == "FAILURE")
            let sums = try await client.send(group(try Signature(Add(x: 1, y: 2)), try Signature(Add(x: 3, y: 4))))
            #expect(try await sums.get(timeout: patience) == [3, 7])
        }
    }

    @Test("immutable steps, callbacks and groups in the middle work", arguments: WorkerKind.allCases)
    func canvases(_ worker: WorkerKind) async throws {
        try await tour(worker, .redis) { client in
            let fixed = try await client.send(add(1, 1) | add(20, 22).immutable)
            #expect(try await fixed.get(timeout: patience) == 42)

            let fanned = try await client.send(add(1, 1) | group(add(10), add(20)) | total() | add(1000))
            #expect(try await fanned.get(timeout: patience) == 1034)

            let ending = try await client.send(add(1, 1) | group(add(10), multiply(10)))
            #expect(try await ending.get(timeout: patience) == [12, 20])

            let called = try await client.send(add(2, 2).onSuccess(add(10).options { $0.taskID = "linked-\(UUID())" }))
            #expect(try await called.get(timeout: patience) == 4)
            let child = try #require(try await called.children.first?.results.first)
            #expect(try await child.get(timeout: patience) == 14)

            let broken = try await client.send(TaskName("tour.fail")("early") | add(1))
            await #expect(throws: TaskFailed.self) { let _: Int = try await broken.get(timeout: patience) }
        }
    }
}

@Suite("Client and remote control", .serialized) struct RevocationTests {
    @Test("a task that is revoked before its time is not run", arguments: WorkerKind.allCases)
    func revoked(_ worker: WorkerKind) async throws {
        try await tour(worker, .redis) { client in
            // A worker that has answered listens to orders, too.
            _ = try await client.send(add(1, 1)).value(timeout: patience)
            let later = try await client.send(add(1, 2).options { $0.countdown = .seconds(3) })
            try await later.revoke()
            await #expect {
                _ = try await later.value(timeout: patience)
            } throws: { ($0 as? TaskFailed)?.state == "REVOKED" }
        }
    }
}

private struct Photo: Codable, Equatable, Sendable {
    var name: String
    var size: [Int]
    var taken: Date
}
