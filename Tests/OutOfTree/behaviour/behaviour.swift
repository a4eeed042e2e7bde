// A bundle that does what Swift tasks do in the wild: await, use the main actor, Foundation, threads; be stopped.

import Foundation
import TaskhostSDK

/// Numbers from the main actor, actors, a task group, a detached task and Dispatch.
struct Async: TaskHandler {
    func run(_ task: TaskContext) async throws -> [Int] {
        try await Task.sleep(for: .milliseconds(2))
        let main = await MainActor.run { Thread.isMainThread ? 1 : 0 }
        let group = await withTaskGroup(of: Int.self) { group in
            for number in 0..<1000 { group.addTask { number } }
            return await group.reduce(0, +)
        }
        let detached = await Task.detached { Thread.isMainThread ? 0 : 1 }.value
        let dispatched = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: 7) }
        }
        return [main, group, detached, dispatched, Thread.isMainThread ? 1 : 0]
    }
}

struct OnMain: TaskHandler {
    @MainActor func run(_ task: TaskContext) async throws -> Bool { Thread.isMainThread }
}

struct Shout: TaskHandler {
    @Arg var text: String
    func run(_ task: TaskContext) throws -> Data { try JSONEncoder().encode([text.uppercased()]) }
}

/// Sleeps until it is stopped, and cleans up on the way if it is asked to.
struct Wait: TaskHandler {
    @Arg var tidy = false
    func run(_ task: TaskContext) async throws -> String {
        task.progress(0, 1)
        do {
            try await Task.sleep(for: .seconds(60))
            return "slept"
        } catch {
            guard tidy else { throw error }
            return "tidied up"
        }
    }
}

/// Never awaits; only the flag reaches it.
struct Spin: TaskHandler {
    func run(_ task: TaskContext) throws -> String {
        task.progress(0, 1)
        while true { try task.checkStop() }
    }
}

struct Count: TaskHandler {
    static let options = TaskOptions(keep: 100)
    nonisolated(unsafe) static var served = 0
    func run(_ task: TaskContext) async -> Int {
        Self.served += 1
        return Self.served
    }
}

struct Trap: TaskHandler {
    @Arg var index: Int
    func run(_ task: TaskContext) -> Int { [1, 2, 3][index] }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    TaskBundle("behaviour", version: "1.0.0") {
        Async.self
        OnMain.self
        Shout.self
        Wait.self
        Spin.self
        Count.self
        Trap.self
    }.register(with: host)
}
