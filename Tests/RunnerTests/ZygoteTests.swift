// Zygotes that die, and bundles that should never have been loaded.

import CLinux
import Glibc
import Ports
import Runner
import TaskModel
import TestKit
import Testing

extension RunnerSuite {
    @Suite("zygotes")
    struct Zygotes {
        @Test(
            "killed under one running task: that is charged, its tree is swept, and it is started again",
            .timeLimit(.minutes(2)))
        func killed() throws {
            let harness = try Harness("saboteur")
            let pids = harness.folder + "/pids"
            let run = harness.start("saboteur.spawn", "[\"daemon\", 2, \"\(pids)\", true]")
            try harness.wait("grandchildren") { contents(pids).split(separator: "\n").count == 2 }
            let grandchildren = contents(pids).split(separator: "\n").compactMap { Int32($0) }
            let zygote = try #require(harness.pool.bundles.first?.zygotePID)
            kill(zygote, SIGKILL)
            // Known all the while: messages must not be refused for it.
            #expect(harness.pool.task(named: "saboteur.say") != nil)
            guard case .zygoteLost? = try harness.report(run).outcome.death?.cause else {
                Issue.record("not charged to the task: \(String(describing: harness.finished[run]))")
                return
            }
            #expect(!isAlive(harness.began[run]!))
            #expect(grandchildren.allSatisfy { !isAlive($0) }, "\(grandchildren)")
            // Not before the report: two that ran when a zygote died are both suspected, and start again alone.
            #expect(try harness.call("saboteur.say", #"["hello"]"#).outcome.value != nil)
            #expect(harness.pool.bundles.first?.zygotePID != zygote)
            try harness.close()
        }

        @Test("killed again and again, the bundle is paused", .timeLimit(.minutes(2)))
        func quickDeaths() throws {
            let harness = try Harness("arithmetic")
            var last: Int32 = 0
            for _ in 0..<6 {
                try harness.wait("a zygote") {
                    harness.pool.bundles.contains { $0.status == .active && $0.zygotePID != last }
                }
                last = harness.pool.bundles[0].zygotePID ?? 0
                kill(last, SIGKILL)
            }
            try harness.wait("the pause") { harness.pool.bundles.contains { $0.refusal?.contains("paused") == true } }
            guard case .runnerFault(let reason) = try harness.call("tasks.add", "[1, 2]").outcome else {
                Issue.record("it ran")
                return
            }
            #expect(reason.contains("paused"))
            // A new version ends the pause.
            try compile(RunnerSuite.Bundles.source(9, task: "tasks.add"), to: harness.folder + "/arithmetic.so")
            try harness.wait("the new version") { harness.pool.bundles.contains { $0.status == .active } }
            #expect(try harness.call("tasks.add").outcome.value == "9")
            try harness.close()
        }

        @Test(
            "ten bad bundles are refused, each in a sentence that names it; the good one serves",
            .timeLimit(.minutes(1)))
        func badBundles() throws {
            let harness = try Harness("arithmetic", loadTimeoutSeconds: 1)
            let head = "#include <taskhost.h>\n#include <pthread.h>\n#include <unistd.h>\n#include <stdlib.h>\n"
            let tail = BundleSources.good
            let early = "__attribute__((constructor)) static void early(void) "
            let sources = [
                "exits": head + early + "{ _exit(0); }" + tail,
                "hangs": head + early + "{ for (;;) pause(); }" + tail,
                "crashes": head + early + "{ volatile int *volatile nowhere = 0; *nowhere = 1; }" + tail,
                "aborts": head + early + "{ abort(); }" + tail,
                "threads": head + "static void *t(void *p) { for (;;) pause(); return p; }\n" + early
                    + "{ pthread_t x; pthread_create(&x, 0, t, 0); }" + tail,
                "forks": head + early + "{ if (fork() == 0) for (;;) pause(); }" + tail,
                "empty": "int nothing;\n",
                "undefined": head + "extern int missing_function(void);\n" + early + "{ missing_function(); }" + tail,
            ]
            for (name, source) in sources { try compile(source, to: harness.folder + "/\(name).so") }
            try write("just text", to: harness.folder + "/text.so")
            let whole = try Dist.plugin("arithmetic")
            #expect(run("/bin/sh", "-c", "head -c 3000 '\(whole)' > '\(harness.folder)/truncated.so'") == 0)
            try harness.wait("all to be refused") {
                harness.pool.bundles.count == 11 && harness.pool.bundles.filter { $0.refusal != nil }.count == 10
            }
            for report in harness.pool.bundles {
                guard let sentence = report.refusal else { continue }
                #expect(sentence.contains(report.path), "\(report.path): \(sentence)")
            }
            #expect(try harness.call("tasks.add", "[4, 6]").outcome.value == "10.0")
            // Not tried again while they are as they are.
            let tried = harness.changes.filter { $0.status == .loading }.count
            harness.pool.rescan()
            #expect(harness.changes.filter { $0.status == .loading }.count == tried)
            try harness.close()
        }

        @Test("a bundle sees the operator's variables and no others of ours")
        func environment() throws {
            setenv("TASKHOST_SECRET_FOR_TEST", "hidden", 1)
            let harness = try Harness(environment: ["ALLOWED_FOR_TEST": "shown"])
            try compile(
                """
                #include <taskhost.h>
                #include <stdlib.h>
                static const char *look(const char *name) { const char *v = getenv(name); return v ? v : "none"; }
                TASK_DEF(look, str, (str, name));
                TASKHOST_BUNDLE("demo", "1");
                """, to: harness.folder + "/demo.so")
            try harness.wait("it to load") { harness.pool.task(named: "demo.look") != nil }
            #expect(try harness.call("demo.look", #"["ALLOWED_FOR_TEST"]"#).outcome.value == #""shown""#)
            #expect(try harness.call("demo.look", #"["TASKHOST_SECRET_FOR_TEST"]"#).outcome.value == #""none""#)
            try harness.close()
        }
    }
}

enum BundleSources {
    static let good = """

        static int64_t one(void) { return 1; }
        TASK_DEF(one, i64);
        TASKHOST_BUNDLE("bad", "1");
        """
}
