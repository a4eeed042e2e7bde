// Children that serve several tasks in turn, and pipelining.

import CLinux
import Glibc
import Ports
import Runner
import TaskModel
import Testing

extension RunnerSuite {
    @Suite("kept children")
    struct Kept {
        @Test("one child serves as many tasks as it is kept for, then another comes")
        func keeps() throws {
            let harness = try Harness("arithmetic", slots: 1)
            var pids: [Int32] = []
            for _ in 0..<9 {
                let run = harness.start("tasks.add", "[4, 6]", keep: 3)
                #expect(try harness.report(run).outcome.value == "10.0")
                pids.append(harness.began[run]!)
            }
            #expect(Set(pids).count == 3)
            #expect(pids[0] == pids[2] && pids[3] == pids[5] && pids[6] == pids[8])
            try harness.close()
        }

        @Test("short tasks are pipelined; each begins when its predecessor has finished")
        func pipelines() throws {
            let harness = try Harness("arithmetic", slots: 1)
            #expect(harness.pool.pipeline(for: "tasks.add") == PipelineRoom(behind: 0, room: 0))
            for _ in 0..<3 { _ = try harness.call("tasks.add", "[4, 6]", keep: 1000) }
            let ahead = harness.pool.pipeline(for: "tasks.add").room
            #expect(ahead > 0)
            let runs = (0...ahead).map { _ in harness.start("tasks.add", "[4, 6]", keep: 1000) }
            for run in runs { #expect(try harness.report(run).outcome.value == "10.0") }
            let numbers = Set(runs.map(\.number))
            let expected = runs.flatMap { ["began \($0.number)", "finished \($0.number)"] }
            #expect(harness.order.filter { numbers.contains(UInt64($0.split(separator: " ")[1])!) } == expected)
            #expect(Set(runs.map { harness.began[$0]! }).count == 1)
            try harness.close()
        }

        @Test("what a task prints is in its report, also while its child's output is throttled")
        func printsBehindAFlood() throws {
            let harness = try Harness("saboteur", slots: 1)
            // Little enough to end within the pause that it causes.
            let flood = try harness.call("saboteur.flood", "[\((1 << 20) + (32 << 10))]", keep: 1000)
            #expect(flood.outcome.value != nil)
            let runs = (0..<3).map { harness.start("saboteur.say", #"["line \#($0)\n"]"#, keep: 1000) }
            let told = try runs.map { String(decoding: try harness.report($0).output, as: UTF8.self) }
            // Pipelined ones may have printed before the result of the one before them was read.
            for count in 1...3 {
                let lines = (0..<count).map { "line \($0)\n" }.joined()
                #expect(told[..<count].joined().hasPrefix(lines))
            }
            try harness.close()
        }

        @Test("a crash costs the task that ran; those behind it never began")
        func crashInPipeline() throws {
            let harness = try Harness(slots: 1)
            try compile(
                """
                #include <taskhost.h>
                #include <stdlib.h>
                static int64_t maybe(bool crash) { if (crash) abort(); return 1; }
                TASK_DEF(maybe, i64, (bool, crash));
                TASKHOST_BUNDLE("demo", "1");
                """, to: harness.folder + "/demo.so")
            try harness.wait("it to load") { harness.pool.task(named: "demo.maybe") != nil }
            for _ in 0..<4 { _ = try harness.call("demo.maybe", "[false]", keep: 1000) }
            // All are handed over before the child gets to see the first.
            let well = harness.start("demo.maybe", "[false]", keep: 1000)
            let crash = harness.start("demo.maybe", "[true]", keep: 1000)
            let behind = [
                harness.start("demo.maybe", "[false]", keep: 1000), harness.start("demo.maybe", "[false]", keep: 1000),
            ]
            #expect(try harness.report(well).outcome.value == "1")
            #expect(try harness.report(crash).outcome.death?.cause == .signal(SIGABRT))
            for run in behind {
                #expect(try harness.report(run).outcome == .notStarted)
                #expect(harness.began[run] == nil)
            }
            #expect(try harness.call("demo.maybe", "[false]", keep: 1000).outcome.value == "1")
            try harness.close()
        }

        @Test("what was handed to a child that is killed from outside is not charged", .timeLimit(.minutes(1)))
        func killedFromOutside() throws {
            let harness = try Harness("sleeper", slots: 1)
            for _ in 0..<4 { _ = try harness.call("sleeper.kept", "[0]", keep: 1000) }
            // Short so far, so that the next ones are put behind this one, which is not; and taken back a moment later.
            let long = harness.start("sleeper.kept", "[60000]", keep: 1000)
            let behind = [
                harness.start("sleeper.kept", "[0]", keep: 1000), harness.start("sleeper.kept", "[0]", keep: 1000),
            ]
            try harness.wait("it to begin") { harness.began[long] != nil }
            harness.loop.runOnce(timeoutSeconds: 0.05)
            kill(harness.began[long]!, SIGKILL)
            #expect(try harness.report(long).outcome.death?.cause == .signal(SIGKILL))
            for run in behind {
                let outcome = try harness.report(run).outcome
                #expect(outcome == .notStarted && harness.began[run] == nil || outcome.value != nil)
            }
            // The next child serves again.
            #expect(try harness.call("sleeper.kept", "[0]", keep: 1000).outcome.value != nil)
            try harness.close()
        }

        @Test("a hard limit of one run does not charge those behind it")
        func killedByUs() throws {
            let harness = try Harness("sleeper", slots: 1)
            for _ in 0..<4 { _ = try harness.call("sleeper.kept", "[0]", keep: 1000) }
            let long = harness.start("sleeper.kept", "[60000]", keep: 1000)
            let behind = harness.start("sleeper.kept", "[0]", keep: 1000)
            try harness.wait("it to begin") { harness.began[long] != nil }
            harness.pool.kill(long, because: .hardLimit(seconds: 2))
            #expect(try harness.report(long).outcome == .hardLimit(2))
            #expect(try harness.report(behind).outcome == .notStarted)
            try harness.close()
        }
    }
}
