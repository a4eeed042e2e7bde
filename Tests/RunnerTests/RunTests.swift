// What comes of runs: results, failures, crashes, kills, output.

import CLinux
import Glibc
import Ports
import Runner
import TaskModel
import Testing

extension RunnerSuite {
    @Suite("runs")
    struct Runs {
        @Test("a typed task returns its value, in a child of its own")
        func fresh() throws {
            let harness = try Harness("arithmetic")
            let first = harness.start("tasks.add", "[4, 6]")
            let second = harness.start("tasks.add", "[1, 2]")
            #expect(try harness.report(first).outcome.value == "10.0")
            #expect(try harness.report(second).outcome.value == "3.0")
            #expect(harness.began[first] != harness.began[second])
            #expect(harness.began[first] ?? 0 > 1)
            try harness.close()
        }

        @Test("a failure arrives with Python's words, and a task's own with its type")
        func failures() throws {
            let harness = try Harness("arithmetic")
            let missing = try harness.call("tasks.add", "[1]").outcome.failure
            #expect(missing?.type == "TypeError")
            #expect(
                missing.map { String(decoding: $0.arguments, as: UTF8.self) }
                    == #"["add() missing 1 required positional argument: 'y'"]"#)
            let deliberate = try harness.call("tasks.fail", #"["no luck"]"#).outcome.failure
            #expect(deliberate?.type == "ValueError")
            #expect(deliberate?.module == "builtins")
            try harness.close()
        }

        @Test("what a task sends arrives before its result, with the ids it knows them by")
        func sending() throws {
            let harness = try Harness()
            try compile(
                """
                #include <taskhost.h>
                static void sends(task_context *task) {
                    char id[TASKHOST_ID_SIZE];
                    task_send(task, "{\\"task\\": \\"a.b\\"}", id);
                    task_add_to_chord(task, "{\\"task\\": \\"c.d\\"}", NULL);
                    taskhost_functions->log(task, TASKHOST_INFO, id, strlen(id));
                }
                TASK_HANDLER(sends);
                static void gives_way(task_context *task) { task_replace(task, "{\\"task\\": \\"e.f\\"}"); }
                TASK_HANDLER(gives_way);
                static void again(task_context *task) {
                    taskhost_retry_options retry = TASKHOST_RETRY;
                    retry.args = "[2]";
                    retry.expires = 7;
                    task_retry_with(task, &retry);
                }
                TASK_HANDLER(again);
                TASKHOST_BUNDLE("canvas", "1.0.0");
                """, to: harness.folder + "/canvas.so")
            harness.pool.rescan()
            try harness.wait("the bundle") { harness.pool.task(named: "canvas.sends") != nil }
            #expect(try harness.call("canvas.sends").outcome == .success(Array("null".utf8)))
            #expect(harness.sent.map(\.submission.kind) == [.send, .addToChord])
            #expect(
                harness.sent.map { String(decoding: $0.submission.content, as: UTF8.self) }
                    == [#"{"task":"a.b"}"#, #"{"task":"c.d"}"#])
            #expect(harness.said.map(\.line) == [harness.sent[0].submission.taskID])
            #expect(try harness.call("canvas.gives_way").outcome == .replace(Array(#"{"task": "e.f"}"#.utf8)))
            guard case .retry(let request) = try harness.call("canvas.again").outcome else {
                Issue.record("no retry")
                return
            }
            #expect(request.arguments == Array("[2]".utf8) && request.keywords == nil && request.expires == 7)
            try harness.close()
        }

        @Test("a crash is told with signal, address and the native stack")
        func crash() throws {
            let harness = try Harness("saboteur")
            let death = try harness.call("saboteur.segv").outcome.death
            #expect(death?.cause == .signal(SIGSEGV))
            #expect(death?.address != nil)
            #expect(death?.stack.first?.contains("saboteur.so: segv") == true, "\(death?.stack ?? [])")
            let abort = try #require(try harness.call("saboteur.abort").outcome.death)
            #expect(abort.cause == .signal(SIGABRT) && abort.address == nil)
            #expect(try harness.call("saboteur.overflow").outcome.death?.cause == .signal(SIGSEGV))
            #expect(try harness.call("saboteur.exit", "[7]").outcome.death?.cause == .exit(7))
            #expect(try harness.call("saboteur.signal", "[9]").outcome.death?.cause == .signal(SIGKILL))
            try harness.close()
        }

        @Test("a child that speaks nonsense is killed for it")
        func nonsense() throws {
            let harness = try Harness("saboteur")
            for style in ["noise", "huge"] {
                let death = try harness.call("saboteur.garbage", "[\"\(style)\"]").outcome.death
                guard case .protocolViolation = death?.cause else {
                    Issue.record("\(style): \(String(describing: death))")
                    continue
                }
            }
            let half = harness.start("saboteur.garbage", #"["half"]"#)
            try harness.wait("it to begin") { harness.began[half] != nil }
            harness.pool.kill(half, because: .hardLimit(seconds: 1))
            #expect(try harness.report(half).outcome == .hardLimit(1))
            try harness.close()
        }

        @Test("a hard kill takes daemonised grandchildren that ignore signals along", .timeLimit(.minutes(1)))
        func hardKill() throws {
            let harness = try Harness("saboteur")
            let pids = harness.folder + "/pids"
            for style in ["plain", "setsid", "daemon", "deaf", "spin"] {
                let run = harness.start("saboteur.spawn", "[\"\(style)\", 2, \"\(pids)\", true]")
                try harness.wait("grandchildren") { contents(pids).split(separator: "\n").count == 2 }
                let grandchildren = contents(pids).split(separator: "\n").compactMap { Int32($0) }
                harness.pool.kill(run, because: .hardLimit(seconds: 0.5))
                let report = try harness.report(run)
                #expect(report.outcome == .hardLimit(0.5))
                #expect(grandchildren.allSatisfy { !isAlive($0) }, "\(style): \(grandchildren)")
                #expect(style == "plain" || style == "deaf" || style == "spin" || report.swept >= 2, "\(style)")
                unlink(pids)
            }
            try harness.close()
        }

        @Test("what a successful task leaves behind is swept before its report, and counted")
        func leftovers() throws {
            let harness = try Harness("saboteur")
            let pids = harness.folder + "/pids"
            let report = try harness.call("saboteur.spawn", "[\"daemon\", 3, \"\(pids)\", false]")
            #expect(report.outcome.value != nil)
            let grandchildren = contents(pids).split(separator: "\n").compactMap { Int32($0) }
            #expect(grandchildren.allSatisfy { !isAlive($0) })
            #expect(report.swept > 0)
            try harness.close()
        }

        @Test("a soft stop reaches the task; a late one harms nobody")
        func softStop() throws {
            let harness = try Harness("sleeper")
            let run = harness.start("sleeper.sleep", "[60]")
            try harness.wait("it to begin") { harness.began[run] != nil }
            harness.pool.softStop(run)
            #expect(try harness.report(run).outcome.failure?.type == "SoftTimeLimitExceeded")
            harness.pool.softStop(run)
            #expect(try harness.call("sleeper.sleep", "[0]").outcome.value != nil)
            try harness.close()
        }

        @Test("a run that waits for a slot can be killed, and nobody else notices")
        func killWaiting() throws {
            let harness = try Harness("sleeper", slots: 1)
            let first = harness.start("sleeper.sleep", "[0.2]")
            let second = harness.start("sleeper.sleep", "[0.2]")
            try harness.wait("the first to begin") { harness.began[first] != nil }
            #expect(harness.began[second] == nil)
            harness.pool.kill(second, because: .terminate(signal: SIGTERM))
            #expect(try harness.report(second).outcome == .terminated(signal: SIGTERM))
            #expect(try harness.report(first).outcome.value != nil)
            try harness.close()
        }

        @Test("more slots start what waits; fewer end nothing and start no more until there is room")
        func resize() throws {
            let harness = try Harness("sleeper", slots: 1)
            let runs = (0..<5).map { _ in harness.start("sleeper.sleep", "[1]") }
            try harness.wait("the first to begin") { !harness.began.isEmpty }
            harness.pool.resize(slots: 4)
            try harness.wait("four to run") { harness.began.count == 4 }
            harness.pool.resize(slots: 1)
            let last = harness.start("sleeper.sleep", "[0]")
            for run in runs + [last] { #expect(try harness.report(run).outcome.value != nil) }
            let fifth = try #require(harness.order.firstIndex(of: "began 5"))
            for number in 1...4 { #expect(harness.order[..<fifth].contains("finished \(number)")) }
            #expect(try harness.call("sleeper.sleep", "[0]").outcome.value != nil)
            try harness.close()
        }

        @Test("output arrives as lines, and its end with the report")
        func output() throws {
            let harness = try Harness("saboteur")
            let run = harness.start("saboteur.say", #"["one\ntwo\nthree"]"#)
            let report = try harness.report(run)
            #expect(String(decoding: report.output, as: UTF8.self) == "one\ntwo\nthree")
            #expect(harness.said.filter { $0.run == run }.map(\.line) == ["one", "two", "three"])
            let lost = try harness.call("saboteur.say", #"["to stderr", 2]"#)
            #expect(String(decoding: lost.output, as: UTF8.self) == "to stderr")
            try harness.close()
        }

        @Test("a flood of output is bounded in lines and bytes, and does not stall others", .timeLimit(.minutes(1)))
        func flood() throws {
            let harness = try Harness("saboteur", "arithmetic")
            let flood = harness.start("saboteur.flood", "[3000000]")
            try harness.wait("it to begin") { harness.began[flood] != nil }
            let begun = clinux_monotonic_ns()
            #expect(try harness.call("tasks.add", "[4, 6]").outcome.value == "10.0")
            #expect(Double(clinux_monotonic_ns() - begun) / 1e9 < 1)
            let report = try harness.report(flood)
            #expect(report.outcome.value != nil)
            #expect(report.output.count == 64 << 10)
            #expect(harness.said.filter { $0.run == flood }.count <= 1500)
            try harness.close()
        }

        @Test("two thousand fresh tasks leave no descriptor and no process behind", .timeLimit(.minutes(2)))
        func noLeaks() throws {
            let harness = try Harness("arithmetic")
            func batch(_ count: Int) throws {
                var pending: Set<RunID> = []
                var left = count
                while left > 0 || !pending.isEmpty {
                    while left > 0, pending.count < 4 {
                        pending.insert(harness.start("tasks.add", "[4, 6]"))
                        left -= 1
                    }
                    try harness.wait("a task") { pending.contains { harness.finished[$0] != nil } }
                    for run in pending where harness.finished[run] != nil {
                        #expect(harness.finished[run]?.outcome.value == "10.0")
                        pending.remove(run)
                    }
                }
            }
            try batch(200)
            let before = openDescriptors()
            try batch(2000)
            // Lanes are opened as they are needed, up to their bound; two descriptors each.
            #expect(openDescriptors() <= before + 2 * 8, "\(before) before, \(openDescriptors()) now")
            try harness.close()
        }

        @Test("closing leaves nothing: no process, no descriptor, no folder", .timeLimit(.minutes(1)))
        func closing() throws {
            let before = openDescriptors()
            let harness = try Harness("arithmetic", "sleeper")
            let run = harness.start("sleeper.stubborn", "[60]")
            try harness.wait("it to begin") { harness.began[run] != nil }
            let zygotes = harness.pool.bundles.compactMap(\.zygotePID)
            #expect(zygotes.count == 2)
            try harness.close()
            #expect(harness.finished[run]?.outcome == .terminated(signal: SIGKILL))
            #expect((zygotes + [harness.began[run]!]).allSatisfy { !isAlive($0) })
            // The loop's own two remain until the harness goes.
            #expect(openDescriptors() <= before + 2)
        }
    }
}
