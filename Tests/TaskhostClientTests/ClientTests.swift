// What needs no worker: addresses, time-outs, cancellation, an end.
import Foundation
import TestKit
import Testing

@testable import TaskhostClient

@Suite("Client") struct ClientTests {
    private func fileClient(_ folder: TemporaryFolder) throws -> TaskhostClient {
        try TaskhostClient(broker: "sqlite://\(folder.path)/queue.db")
    }

    @Test(
        "addresses that cannot work are refused before anything connects",
        arguments: [
            ("mysql://x", nil), ("amqp://localhost//", "amqp://localhost//"), ("sqlite:///q.db", "rpc://"),
            ("redis://localhost:no/0", nil),
        ] as [(String, String?)])
    func refused(_ broker: String, _ backend: String?) {
        #expect(throws: ClientError.self) { try TaskhostClient(broker: broker, backend: backend) }
    }

    @Test("a task nobody runs is pending, and get times out")
    func timeOut() async throws {
        let folder = try TemporaryFolder()
        let client = try fileClient(folder)
        let result = try await client.send("nobody.runs", 1)
        #expect(try await result.state == "PENDING")
        #expect(try await !result.isReady)
        await #expect {
            _ = try await result.value(timeout: .milliseconds(50))
        } throws: { error in
            if case ClientError.timedOut(let text) = error { text.contains(result.id) } else { false }
        }
        await client.close()
    }

    @Test("a call without properties is refused before it is sent")
    func noArguments() async throws {
        let folder = try TemporaryFolder()
        let client = try fileClient(folder)
        await #expect {
            _ = try await client.send(Word.word)
        } throws: { error in
            if case ClientError.argument(let text) = error { text.contains("no properties") } else { false }
        }
        await client.close()
    }

    @Test("a cancelled task stops waiting")
    func cancelled() async throws {
        let folder = try TemporaryFolder()
        let client = try fileClient(folder)
        let result = try await client.send("nobody.runs")
        let waiting = Task { try await result.value() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        await client.close()
    }

    @Test("closing ends whoever waits, and later calls are refused")
    func closing() async throws {
        let folder = try TemporaryFolder()
        let client = try fileClient(folder)
        let result = try await client.send("nobody.runs")
        var updates = result.updates().makeAsyncIterator()
        let waiting = Task { try await result.value() }
        await client.close()
        await #expect(throws: ClientError.self) { _ = try await waiting.value }
        await #expect(throws: ClientError.self) { _ = try await updates.next() }
        await #expect(throws: ClientError.self) { _ = try await client.send("nobody.runs") }
        await client.close()
    }

    @Test("an unreachable broker is named when time is up")
    func unreachable() async throws {
        var options = ClientOptions()
        options.sendTimeout = .milliseconds(500)
        let client = try TaskhostClient(broker: "amqp://guest:secret@127.0.0.1:1//", backend: "none", options: options)
        await #expect {
            try await client.send("demo.add", 1, 2)
        } throws: { error in
            "\(error)".contains("127.0.0.1:1") && !"\(error)".contains("secret")
        }
        await client.close()
    }

    @Test("without a backend results are refused by name")
    func noBackend() async throws {
        let folder = try TemporaryFolder()
        let client = try TaskhostClient(broker: "sqlite://\(folder.path)/queue.db", backend: "none")
        let result = try await client.send("nobody.runs")
        await #expect(throws: ClientError.self) { _ = try await result.state }
        await client.close()
    }
}
