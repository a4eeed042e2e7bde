// What has served stays served, whoever kills its zygote, stops it, or takes its file away.

import CLinux
import Glibc
import Ports
import Runner
import TaskModel
import Testing

extension RunnerSuite {
    @Suite("what has served")
    struct Served {
        /// Tasks that turn against their zygote, and may: where nothing keeps their signals in (Linux before 6.12).
        private func harness(slots: Int = 4) throws -> Harness {
            let harness = try Harness(
                slots: slots, confinement: Confinement(allowsSignals: true, umask: 0o077, oomScore: 500))
            let here = #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
            try compile(contents(here + "/RunnerProgram/bundles/against_parent.c"), to: harness.folder + "/against.so")
            try harness.wait("it to load") { harness.pool.task(named: "against.answer") != nil }
            return harness
        }

        private func state(_ pid: Int32) -> Character? {
            contents("/proc/\(pid)/stat").split(separator: ")").last?.first { $0 != " " }
        }

        @Test("of several runs that had begun when their zygote died none is charged", .timeLimit(.minutes(2)))
        func suspects() throws {
            let harness = try harness()
            let good = harness.start("against.wait_for", "[600]")
            let other = harness.start("against.wait_for", "[600]")
            try harness.wait("both to begin") { harness.began[good] != nil && harness.began[other] != nil }
            let killer = harness.start("against.signal_zygote", "[9, 0.3]")
            for run in [good, other, killer] {
                guard case .suspect(let bundle, _) = try harness.report(run).outcome else {
                    Issue.record("\(String(describing: harness.finished[run]))")
                    continue
                }
                #expect(bundle == harness.folder + "/against.so")
            }
            #expect(try harness.call("against.answer").outcome.value == "42")
            try harness.close()
        }

        @Test(
            "alone, a killer has a zygote of its own: it is charged, and its neighbours notice nothing",
            .timeLimit(.minutes(2)))
        func alone() throws {
            let harness = try harness()
            let good = harness.start("against.wait_for", "[5]")
            try harness.wait("it to begin") { harness.began[good] != nil }
            let zygote = harness.pool.bundles.first?.zygotePID
            for _ in 0..<2 {
                let killer = harness.start("against.signal_zygote", "[9, 0.1]", alone: true)
                guard case .zygoteLost? = try harness.report(killer).outcome.death?.cause else {
                    Issue.record("\(String(describing: harness.finished[killer]))")
                    continue
                }
            }
            #expect(harness.pool.bundles.first?.zygotePID == zygote)
            let run = harness.start("against.answer", alone: true)
            #expect(try harness.report(run).outcome.value == "42")
            #expect(try harness.report(good).outcome.value != nil)
            try harness.close()
        }

        @Test(
            "its zygote dies after a new version was refused: the version that served serves on",
            .timeLimit(.minutes(2)))
        func olderThanItsFile() throws {
            let harness = try harness()
            try write("no library at all", to: harness.folder + "/.new")
            rename(harness.folder + "/.new", harness.folder + "/against.so")
            try harness.wait("the refusal") { harness.pool.bundles.contains { $0.refusal != nil } }
            for _ in 0..<2 {
                let zygote = try #require(harness.pool.bundles.first { $0.status == .active }?.zygotePID)
                kill(zygote, SIGKILL)
                try harness.wait("another zygote") {
                    harness.pool.bundles.contains { $0.status == .active && $0.zygotePID != zygote }
                }
                #expect(try harness.call("against.answer").outcome.value == "42")
            }
            #expect(harness.pool.bundles.contains { $0.refusal?.contains("no shared library") == true })
            try harness.close()
        }

        @Test(
            "killed while it is started again, it is started once more, and its tasks are never unknown",
            .timeLimit(.minutes(2)))
        func killedWhileLoading() throws {
            let harness = try Harness()
            let slow = """
                #include <taskhost.h>
                #include <unistd.h>
                __attribute__((constructor)) static void early(void) { usleep(300000); }
                static int64_t slow(void) { return 7; }
                TASK_DEF(slow, i64);
                TASKHOST_BUNDLE("slow", "1");
                """
            try compile(slow, to: harness.folder + "/slow.so")
            try harness.wait("it to load") { harness.pool.task(named: "slow.slow") != nil }
            kill(try #require(harness.pool.bundles.first?.zygotePID), SIGKILL)
            for _ in 0..<3 {
                try harness.wait("it to load again") { harness.pool.bundles.contains { $0.status == .loading } }
                let loading = try #require(harness.pool.bundles.first { $0.status == .loading }?.zygotePID)
                kill(loading, SIGKILL)
                try harness.wait("its end") { !harness.pool.bundles.contains { $0.zygotePID == loading } }
                #expect(harness.pool.task(named: "slow.slow") != nil)
            }
            try harness.wait("it to serve again") { harness.pool.bundles.contains { $0.status == .active } }
            #expect(try harness.call("slow.slow").outcome.value == "7")
            try harness.close()
        }

        @Test("a version that never served and was killed while loading is tried again", .timeLimit(.minutes(2)))
        func neverServed() throws {
            let harness = try Harness()
            let marker = harness.folder + "/marker"
            let source = """
                #include <taskhost.h>
                #include <signal.h>
                #include <fcntl.h>
                #include <unistd.h>
                __attribute__((constructor)) static void early(void) {
                    if (access("\(marker)", F_OK) != 0) {
                        close(open("\(marker)", O_CREAT | O_WRONLY, 0600));
                        kill(getpid(), SIGKILL);
                    }
                }
                static int64_t once(void) { return 7; }
                TASK_DEF(once, i64);
                TASKHOST_BUNDLE("once", "1");
                """
            try compile(source, to: harness.folder + "/once.so")
            try harness.wait("the first attempt") { harness.pool.bundles.contains { $0.refusal != nil } }
            try harness.wait("the second", seconds: 60) { harness.pool.task(named: "once.once") != nil }
            #expect(try harness.call("once.once").outcome.value == "7")
            try harness.close()
        }

        @Test("a stopped zygote is noticed: limits hold, and its tasks run in another one", .timeLimit(.minutes(2)))
        func stopped() throws {
            let harness = try harness()
            let limited = harness.start("against.wait_for", "[600]")
            let stopper = harness.start("against.signal_zygote", "[\(SIGSTOP), 0.1]")
            try harness.wait("both to begin") { harness.began[limited] != nil && harness.began[stopper] != nil }
            let zygote = try #require(harness.pool.bundles.first?.zygotePID)
            try harness.wait("it to be stopped") { state(zygote) == "T" }
            let child = harness.began[limited]!
            harness.pool.kill(limited, because: .hardLimit(seconds: 1))
            try harness.wait("the child to be killed") { state(child) == nil || state(child) == "Z" }
            let answer = harness.start("against.answer")
            #expect(try harness.report(answer).outcome.value == "42")
            #expect(try harness.report(limited).outcome == .hardLimit(1))
            guard case .suspect = try harness.report(stopper).outcome else {
                Issue.record("\(String(describing: harness.finished[stopper]))")
                return
            }
            #expect(state(zygote) == nil)
            try harness.close()
        }

        @Test("a child that was stopped before it was given anything keeps nothing waiting", .timeLimit(.minutes(2)))
        func stoppedSpare() throws {
            let harness = try harness()
            let zygote = try #require(harness.pool.bundles.first?.zygotePID)
            func children() -> [pid_t] {
                contents("/proc/\(zygote)/task/\(zygote)/children").split(separator: " ").compactMap { pid_t($0) }
            }
            #expect(try harness.report(harness.start("against.answer")).outcome.value == "42")
            // The one that has answered may still be on its way out, and its successor not be there yet.
            try harness.wait("its spare children to be stopped") {
                let spares = children()
                for spare in spares where state(spare) != "T" { kill(spare, SIGSTOP) }
                return !spares.isEmpty && spares.allSatisfy { state($0) == "T" }
            }
            let runs = (0..<4).map { _ in harness.start("against.answer") }
            for run in runs {
                var outcome = try harness.report(run).outcome
                if case .notStarted = outcome { outcome = try harness.report(harness.start("against.answer")).outcome }
                #expect(outcome.value == "42")
            }
            try harness.close()
        }

        @Test("a daemon that left a kept child's tree dies though the child lives on", .timeLimit(.minutes(2)))
        func strays() throws {
            let harness = try harness()
            let pids = harness.folder + "/pids"
            let child = try harness.call("against.leave_daemon", "[\"\(pids)\"]", keep: 100).outcome.value
            try harness.wait("the daemon") { contents(pids).hasSuffix("\n") }
            let daemon = try #require(Int32(contents(pids).dropLast()))
            try harness.wait("its end") { state(daemon) == nil }
            #expect(isAlive(try #require(Int32(child ?? ""))))
            try harness.close()
        }

        @Test("a task's log record is cut like a line of its output", .timeLimit(.minutes(2)))
        func longRecord() throws {
            let harness = try Harness()
            let source = """
                #include <taskhost.h>
                #include <stdlib.h>
                #include <string.h>
                static void talk(task_context *task) {
                    char *text = malloc(3000001);
                    memset(text, 'x', 3000000);
                    text[3000000] = 0;
                    taskhost_functions->log(task, TASKHOST_INFO, text, 3000000);
                }
                TASK_DEF_CTX(talk, void);
                TASKHOST_BUNDLE("talk", "1");
                """
            try compile(source, to: harness.folder + "/talk.so")
            try harness.wait("it to load") { harness.pool.task(named: "talk.talk") != nil }
            #expect(try harness.call("talk.talk").outcome.value == "null")
            let line = try #require(harness.said.first?.line)
            #expect(line.utf8.count < 9000 && line.hasSuffix("bytes more]"))
            try harness.close()
        }
    }
}
