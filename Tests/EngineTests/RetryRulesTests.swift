// When a task is tried again, where, and how long it waits for it.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Retries and requeues")
struct RetryRulesTests {
    private func policy(_ change: (inout TaskOptions) -> Void) -> TaskPolicy {
        var options = TaskOptions()
        change(&options)
        return TaskPolicy(manifest: options, override: nil, defaults: TaskOptions())
    }

    private func failure(_ type: String, _ module: String = "builtins") -> TaskFailure {
        TaskFailure(type: type, module: module, arguments: Array("[]".utf8))
    }

    @Test("fractions of a back-off count, and so does its bound")
    func fractions() {
        var random = SplitMix64(seed: 1)
        let half = policy {
            $0.retryBackoff = 0.5
            $0.retryBackoffMax = 3
            $0.retryJitter = false
        }
        #expect((0..<5).map { half.delay(retries: $0, using: &random) } == [0.5, 1, 2, 3, 3])
        let other = policy {
            $0.retryBackoff = 2.9
            $0.retryJitter = false
        }
        #expect(other.delay(retries: 1, using: &random) == 5.8)
    }

    @Test("jitter stays between nothing and the delay, and is no whole number of seconds")
    func jitter() {
        var random = SplitMix64(seed: 1)
        let policy = policy { $0.retryBackoff = 0.5 }
        let delays = (0..<1000).map { _ in policy.delay(retries: 2, using: &random) }
        #expect(delays.allSatisfy { 0...2 ~= $0 } && delays.contains { $0.rounded() != $0 })
        #expect(Double(delays.reduce(0, +)) / 1000 > 0.8)
    }

    @Test("only the failures named are retried by themselves, by type or with their module")
    func named() {
        let policy = policy { $0.autoretryFor = FailureNames("TimeoutError, app.errors.Busy") }
        #expect(policy.retriesByItself(failure("TimeoutError")))
        #expect(policy.retriesByItself(failure("Busy", "app.errors")))
        #expect(!policy.retriesByItself(failure("Busy", "other")) && !policy.retriesByItself(failure("ValueError")))
    }

    @Test("failures named as final are final, whatever else is said")
    func final() {
        let policy = policy {
            $0.retryBackoff = 1
            $0.dontAutoretryFor = FailureNames(["ValueError"])
        }
        #expect(policy.retriesByItself(failure("OSError")) && !policy.retriesByItself(failure("ValueError")))
        #expect(!policy.retriesByItself(failure("TypeError")))
    }

    @Test("the operator's list wins over the bundle's")
    func operators() {
        var bundle = TaskOptions()
        bundle.autoretryFor = FailureNames("OSError")
        var operators = TaskOptions()
        operators.autoretryFor = FailureNames("KeyError")
        let policy = TaskPolicy(manifest: bundle, override: operators, defaults: TaskOptions())
        #expect(policy.retriesByItself(failure("KeyError")) && !policy.retriesByItself(failure("OSError")))
    }

    @Test("a task that puts itself back again and again waits longer each time, and others run meanwhile")
    func requeues() {
        let world = SimulatedWorld(seed: 1)
        var left = 12
        world.returns = { request in
            guard request.id == "spins", left > 0 else { return .success([UInt8(ascii: "1")]) }
            left -= 1
            return .reject(reason: "not yet", requeue: true)
        }
        world.send("spins")
        for number in 0..<5 { world.send("other\(number)") }
        world.connect()
        world.run()
        #expect(world.results["spins"] == .success && world.starts["spins"] == 13)
        // 0 + 0.05 + 0.1 + … up to 10 s each.
        #expect(world.now - 1_000_000_000 > 30_000_000_000)
        #expect((0..<5).allSatisfy { (world.storedAt["other\($0)"] ?? .max) < 3_000_000_000 })
        #expect(world.core.intake.delaysNothing && world.violations == [])
    }

    @Test("the operator is told once of a task that puts itself back again and again, with the fix")
    func requeuesAreTold() {
        var known = KnownWork()
        var told: [String] = []
        for _ in 0..<20 {
            for id in ["a", "b"] {
                _ = known.requeuePause(for: id)
                if known.isWorthSaying(requeuesOf: id, of: "spins") { told.append(id) }
            }
        }
        #expect(told == ["a"])
        #expect(EngineNote.requeuesAgain(name: "spins", id: "a").text.contains("fix: let it retry with a countdown"))
    }

    @Test("how a task ends is no state of its own", arguments: ["SUCCESS", "FAILURE", "RETRY", "REVOKED"])
    func reservedStates(state: String) {
        let world = SimulatedWorld(seed: 1)
        world.returns = { [unowned world] request in
            world.post(.stateChanged(request.run, state: state, meta: Array("{}".utf8)))
            world.post(.stateChanged(request.run, state: "PROGRESS", meta: Array("{}".utf8)))
            return .success([UInt8(ascii: "1")])
        }
        world.send("x")
        world.connect()
        world.run()
        #expect(world.finalStates["x"] == [.success])
    }

    @Test(
        "a task that ends by Ignore is left in the state it has named, of any name", arguments: ["FAILURE", "CUSTOM"])
    func leftStates(state: String) {
        let world = SimulatedWorld(seed: 1)
        world.returns = { [unowned world] request in
            world.post(.stateChanged(request.run, state: "PROGRESS", meta: Array("{}".utf8)))
            return .ignore(LeftState(name: state, meta: Array("{}".utf8)))
        }
        world.send("x")
        world.connect()
        world.run()
        #expect(world.results["x"]?.rawValue == state)
    }

    @Test("starts are counted by the task's name, whatever its sender wants it shown as")
    func shadows() {
        let world = SimulatedWorld(seed: 1)
        for number in 0..<20 { world.send("s\(number)", headers: ["shadow": .string("shown \(number)")]) }
        world.connect()
        world.run()
        #expect(world.core.inFlight.startsByTask == ["t": 20])
    }
}
