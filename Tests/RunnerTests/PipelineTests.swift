// Runs behind others in kept children: how they are taken back.

import Glibc
import Ports
import Runner
import TaskModel
import Testing

extension RunnerSuite {
    @Suite("runs behind others")
    struct Pipeline {
        private func warm(_ harness: Harness, children: Int) throws {
            // Each child has served, and the task is known to be short.
            let runs = (0..<children * 4).map { _ in harness.start("sleeper.kept", "[0]", keep: 1000) }
            for run in runs { _ = try harness.report(run) }
        }

        @Test("one that lies behind a long run goes to another child when one is free", .timeLimit(.minutes(1)))
        func movesOn() throws {
            let harness = try Harness("sleeper", slots: 2)
            try warm(harness, children: 2)
            let long = [
                harness.start("sleeper.kept", "[60000]", keep: 1000),
                harness.start("sleeper.kept", "[400]", keep: 1000),
            ]
            let behind = (0..<4).map { _ in harness.start("sleeper.kept", "[0]", keep: 1000) }
            for run in behind { #expect(try harness.report(run).outcome.value != nil) }
            let pids = Set(behind.map { harness.began[$0]! })
            #expect(!pids.contains(harness.began[long[0]]!), "the one that takes a minute still runs")
            try harness.close()
        }

        @Test("one that may be returned is, when every child has turned to a long run", .timeLimit(.minutes(1)))
        func returns() throws {
            let harness = try Harness("sleeper", slots: 1)
            try warm(harness, children: 1)
            let long = harness.start("sleeper.kept", "[60000]", keep: 1000)
            let behind = (0..<3).map { _ in harness.start("sleeper.kept", "[0]", keep: 1000, mayReturn: true) }
            try harness.wait("them to be returned") { harness.returned.count == 3 }
            #expect(harness.returned == behind)
            #expect(harness.began[behind[0]] == nil && harness.finished[behind[0]] == nil)
            // And what is started while no child takes more comes back at once.
            let next = harness.start("sleeper.kept", "[0]", keep: 1000, mayReturn: true)
            try harness.wait("it to be returned") { harness.returned.last == next }
            harness.pool.kill(long, because: .terminate(signal: 9))
            _ = try harness.report(long)
            #expect(try harness.call("sleeper.kept", "[0]", keep: 1000).outcome.value != nil)
            try harness.close()
        }

        @Test("what is started while another is told to have begun is not lost", .timeLimit(.minutes(1)))
        func startedMeanwhile() throws {
            let harness = try Harness("sleeper", slots: 2)
            try warm(harness, children: 2)
            var more: [RunID] = []
            harness.onBegan = { if more.count < 20 { more.append(harness.start("sleeper.kept", "[0]", keep: 1000)) } }
            for run in (0..<4).map({ _ in harness.start("sleeper.kept", "[0]", keep: 1000) }) {
                #expect(try harness.report(run).outcome.value != nil)
            }
            try harness.wait("all that were started on the way", seconds: 10) {
                more.count == 20 && more.allSatisfy { harness.finished[$0]?.outcome.value != nil }
            }
            try harness.close()
        }

        @Test("killed before it has begun, it ends alone: the run before it is not disturbed", .timeLimit(.minutes(1)))
        func killed() throws {
            let harness = try Harness("sleeper", slots: 1)
            try warm(harness, children: 1)
            let first = harness.start("sleeper.kept", "[200]", keep: 1000)
            let second = harness.start("sleeper.kept", "[0]", keep: 1000)
            let third = harness.start("sleeper.kept", "[0]", keep: 1000)
            try harness.wait("the first to begin") { harness.began[first] != nil }
            harness.pool.kill(second, because: .terminate(signal: 9))
            #expect(try harness.report(second).outcome == .terminated(signal: 9))
            #expect(harness.began[second] == nil && harness.finished[first] == nil)
            #expect(try harness.report(first).outcome.value != nil)
            #expect(try harness.report(third).outcome.value != nil)
            #expect(harness.began[third] == harness.began[first], "the child was not killed for it")
            try harness.close()
        }

        @Test(
            "whatever is recalled while children claim it, each run happens once or not at all",
            .timeLimit(.minutes(2)))
        func race() throws {
            let harness = try Harness("arithmetic", slots: 2)
            for _ in 0..<4 { _ = try harness.call("tasks.add", "[1, 1]", keep: 50) }
            var random = SystemRandomNumberGenerator()
            var all: [RunID] = []
            for _ in 0..<400 {
                let runs = (0..<8).map { _ in harness.start("tasks.add", "[4, 6]", keep: 50, mayReturn: true) }
                all += runs
                for run in runs where Bool.random(using: &random) {
                    harness.loop.runOnce(timeoutSeconds: 0)
                    harness.pool.recall(run)
                }
                try harness.wait("all to be told") {
                    runs.allSatisfy { harness.finished[$0] != nil || harness.returned.contains($0) }
                }
            }
            let returned = Set(harness.returned)
            #expect(harness.returned.count == returned.count && !returned.isEmpty && returned.count < all.count)
            for run in all {
                #expect((harness.finished[run] != nil) != returned.contains(run))
                if !returned.contains(run) { #expect(harness.finished[run]?.outcome.value == "10.0") }
            }
            #expect(harness.pool.figures.busy == 0)
            #expect(harness.pool.pipeline(for: "tasks.add").behind == 0)
            try harness.close()
        }
    }
}
