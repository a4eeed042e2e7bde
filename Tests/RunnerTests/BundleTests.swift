// Bundles through their lives: loading, reloading, being refused, losing their zygote.

import CLinux
import Glibc
import Loop
import Ports
import Runner
import TaskModel
import TestKit
import Testing

extension RunnerSuite {
    @Suite("bundles")
    struct Bundles {
        static func source(_ result: Int, task: String = "demo.answer", version: String = "1.0") -> String {
            """
            #include <taskhost.h>
            static int64_t answer(void) { return \(result); }
            TASK_DEF(answer, i64);
            TASK_OPTIONS(answer, .name = "\(task)", .doc = "Says \(result).", .soft_limit = 1.5, .max_retries = 7);
            TASKHOST_BUNDLE("demo", "\(version)");
            """
        }

        @Test("a manifest tells what registration said")
        func manifest() throws {
            let harness = try Harness()
            try compile(Self.source(42), to: harness.folder + "/demo.so")
            try harness.wait("it to load") { harness.pool.task(named: "demo.answer") != nil }
            let task = try #require(harness.pool.task(named: "demo.answer"))
            #expect(task.result == "i64")
            #expect(task.options.softLimit == 1.5)
            #expect(task.options.maxRetries == .atMost(7))
            #expect(task.options.doc == "Says 42.")
            #expect(harness.pool.bundles.first?.manifest?.version == "1.0")
            try harness.close()
        }

        @Test("a version renamed into place serves the next run, while the old one finishes what it runs")
        func reloadByRename() throws {
            let harness = try Harness("sleeper")
            let path = harness.folder + "/sleeper.so"
            let old = harness.start("sleeper.sleep", "[1]")
            try harness.wait("it to begin") { harness.began[old] != nil }
            let zygote = harness.pool.bundles[0].zygotePID
            try compile(Self.source(1, task: "sleeper.sleep", version: "2.0"), to: path)
            try harness.wait("the new version") {
                harness.pool.bundles.contains { $0.status == .active && $0.manifest?.version == "2.0" }
            }
            #expect(harness.pool.bundles.contains { $0.status == .draining && $0.zygotePID == zygote })
            #expect(try harness.call("sleeper.sleep").outcome.value == "1")
            #expect(harness.finished[old] == nil)
            #expect(try harness.report(old).outcome.value != nil)
            try harness.wait("the old zygote to leave") { harness.pool.bundles.count == 1 }
            try harness.close()
        }

        @Test("a bundle that is deleted is told as gone, and not as replaced by a newer version")
        func deleted() throws {
            let harness = try Harness("sleeper")
            try compile(Self.source(1), to: harness.folder + "/demo.so")
            try harness.wait("it to load") { harness.pool.task(named: "demo.answer") != nil }
            unlink(harness.folder + "/demo.so")
            let of = { harness.changes.filter { $0.path.hasSuffix("/demo.so") }.map(\.status) }
            try harness.wait("it to be gone") { of().contains(.gone) }
            #expect(!of().contains(.draining))
            try harness.close()
        }

        @Test("a file overwritten in place under running tasks harms nobody", .timeLimit(.minutes(1)))
        func reloadInPlace() throws {
            let harness = try Harness()
            let path = harness.folder + "/demo.so"
            let other = harness.folder + "/.other"
            try compile(Self.source(1), to: path)
            try compile(Self.source(2, version: "2.0"), to: other)
            try harness.wait("it to load") { harness.pool.task(named: "demo.answer") != nil }
            #expect(run("/bin/cp", other, path) == 0)
            var answers: [String] = []
            while answers.last != "2" {
                answers.append(try harness.call("demo.answer").outcome.value ?? "died")
                if answers.count > 100_000 { break }
            }
            #expect(Set(answers) == ["1", "2"])
            try harness.close()
        }

        @Test("a bad new version is refused; the old one goes on serving")
        func badReload() throws {
            let harness = try Harness()
            let path = harness.folder + "/demo.so"
            try compile(Self.source(1), to: path)
            try harness.wait("it to load") { harness.pool.task(named: "demo.answer") != nil }
            try write("no library", to: path)
            try harness.wait("it to be refused") { harness.pool.bundles.contains { $0.refusal != nil } }
            #expect(try harness.call("demo.answer").outcome.value == "1")
            #expect(harness.pool.bundles.contains { $0.status == .active })
            try harness.close()
        }

        @Test("a file that goes away takes its tasks along")
        func removal() throws {
            let harness = try Harness("arithmetic")
            try compile(Self.source(1), to: harness.folder + "/demo.so")
            try harness.wait("another one") { harness.pool.task(named: "demo.answer") != nil }
            unlink(harness.folder + "/arithmetic.so")
            try harness.wait("it to go") { harness.pool.task(named: "tasks.add") == nil }
            guard case .runnerFault = try harness.call("tasks.add", "[1, 2]").outcome else {
                Issue.record("a task nobody offers ran")
                return
            }
            try harness.wait("its zygote to leave") { harness.pool.bundles.count == 1 }
            try harness.close()
        }

        @Test("a folder that is left empty takes nothing along: the last bundle serves on, until it comes again")
        func leftEmpty() throws {
            let harness = try Harness("arithmetic")
            let path = harness.folder + "/arithmetic.so"
            rename(path, harness.folder + "/arithmetic.away")
            harness.pool.rescan()
            harness.pool.rescan()
            #expect(try harness.call("tasks.add", "[1, 2]").outcome.value == "3.0")
            rename(harness.folder + "/arithmetic.away", path)
            harness.pool.rescan()
            #expect(try harness.call("tasks.add", "[1, 2]").outcome.value == "3.0")
            unlink(path)
            harness.pool.rescan()
            try compile(Self.source(1), to: harness.folder + "/demo.so")
            try harness.wait("another one to take its place") { harness.pool.task(named: "tasks.add") == nil }
            #expect(harness.pool.task(named: "demo.answer") != nil)
            try harness.close()
        }

        @Test("the last bundle serves on while what came in its place does not load")
        func lastOne() throws {
            let harness = try Harness("arithmetic")
            try write("no library", to: harness.folder + "/new.so")
            unlink(harness.folder + "/arithmetic.so")
            try harness.wait("the new file to be refused") { harness.pool.bundles.contains { $0.refusal != nil } }
            harness.pool.rescan()
            #expect(try harness.call("tasks.add", "[1, 2]").outcome.value == "3.0")
            try compile(Self.source(1), to: harness.folder + "/demo.so")
            try harness.wait("another one to serve") { harness.pool.task(named: "demo.answer") != nil }
            #expect(harness.pool.task(named: "tasks.add") == nil)
            try harness.close()
        }

        @Test("of two files with the same task the second is refused, naming both, until the first goes")
        func conflict() throws {
            let harness = try Harness()
            try compile(Self.source(1), to: harness.folder + "/first.so")
            try harness.wait("the first") { harness.pool.task(named: "demo.answer") != nil }
            try compile(Self.source(2), to: harness.folder + "/second.so")
            try harness.wait("the second to be refused") { harness.pool.bundles.contains { $0.refusal != nil } }
            let sentence = harness.pool.bundles.compactMap(\.refusal).first ?? ""
            #expect(sentence.contains("first.so") && sentence.contains("second.so"), "\(sentence)")
            #expect(sentence.contains("demo.answer"))
            unlink(harness.folder + "/first.so")
            try harness.wait("the second to serve") {
                harness.pool.bundles.contains { $0.path.hasSuffix("second.so") && $0.status == .active }
            }
            #expect(try harness.call("demo.answer").outcome.value == "2")
            try harness.close()
        }

        @Test("hidden and unfinished files are left alone")
        func hidden() throws {
            let harness = try Harness()
            try write("x", to: harness.folder + "/.hidden.so")
            try write("x", to: harness.folder + "/notes.txt")
            try compile(Self.source(1), to: harness.folder + "/demo.so")
            try harness.wait("it to load") { harness.pool.task(named: "demo.answer") != nil }
            #expect(harness.pool.bundles.map(\.path) == [harness.folder + "/demo.so"])
            try harness.close()
        }

        @Test("a folder everybody may write to is refused, with the fix; with the right taken away it is used")
        func untrustedFolder() throws {
            let harness = try Harness("arithmetic")
            chmod(harness.folder, 0o777)
            harness.pool.rescan()
            let sentence = harness.pool.bundles.compactMap(\.refusal).first ?? ""
            #expect(sentence.contains("chmod o-w '\(harness.folder)'"), "\(sentence)")
            chmod(harness.folder, 0o755)
            try harness.wait("it to be used again") { !harness.pool.bundles.contains { $0.refusal != nil } }
            try harness.close()
        }

        @Test("an inspection tells what would load, without a pool")
        func inspection() throws {
            let home = try TemporaryFolder()
            defer { withExtendedLifetime(home) {} }
            let folder = home.path
            try write("no library", to: folder + "/bad.so")
            try compile(Self.source(1), to: folder + "/demo.so")
            try compile(Self.source(2), to: folder + "/twin.so")
            let loop = try EpollLoop()
            let inspector = try BundleInspector(
                loop: loop, options: RunnerOptions(runnerPath: try Dist.runner(), pluginFolders: [], slots: 1),
                log: { _, _ in })
            let paths = try inspector.bundles(in: folder).get() + [folder + "/missing.so"]
            var reports: [BundleReport]?
            inspector.inspect(paths) { reports = $0 }
            #expect(loop.run(until: { reports != nil }, timeoutSeconds: 20))
            let found = try #require(reports)
            #expect(found.map(\.path) == paths)
            #expect(found[0].refusal != nil)
            #expect(found[1].status == .active && found[1].manifest?.tasks.first?.name == "demo.answer")
            #expect(found[2].refusal?.contains("demo.so") == true)
            #expect(found[3].refusal != nil)
        }
    }
}
