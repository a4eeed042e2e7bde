// New versions on trial: their share, what ends it, and the way back.

import Glibc
import Ports
import TaskModel
import TestKit
import Testing

@testable import Runner

extension RunnerSuite {
    @Suite("new versions on trial")
    struct Trials {
        /// `answer` says the number; `fall` crashes if its argument is at least `crashesFrom`.
        private static func source(_ number: Int, crashesFrom: Int = 1000, more: String = "") -> String {
            """
            #include <taskhost.h>
            static int64_t answer(void) { return \(number); }
            TASK_DEF(answer, i64);
            static int64_t fall(int64_t at) { if (at >= \(crashesFrom)) *(volatile int *)0 = 1; return \(number); }
            TASK_DEF(fall, i64, (i64, at));
            \(more)
            TASKHOST_BUNDLE("demo", "\(number).0");
            """
        }

        private static let extra = "static int64_t extra(void) { return 3; }\nTASK_DEF(extra, i64);"

        private static func trials(_ share: Double = 1, seconds: Double = 600) -> TrialOptions {
            var made = TrialOptions()
            (made.share, made.seconds) = (share, seconds)
            return made
        }

        /// The first version serves.
        private func harness(_ trials: TrialOptions, more: String = "") throws -> Harness {
            let harness = try Harness(trials: trials)
            try compile(Self.source(1, more: more), to: harness.folder + "/demo.so")
            try harness.wait("it to load") { harness.pool.task(named: "demo.answer") != nil }
            return harness
        }

        private func put(_ text: String, _ harness: Harness, until status: BundleReport.Status) throws {
            try compile(text, to: harness.folder + "/demo.so")
            try harness.wait("\(status)") {
                harness.pool.bundles.contains { $0.status == status && $0.manifest?.version == "2.0" }
            }
        }

        private func answers(_ harness: Harness, _ count: Int) throws -> [String] {
            try (0..<count).map { _ in try harness.call("demo.answer").outcome.value ?? "none" }
        }

        private func isTakenBack(_ harness: Harness) -> Bool {
            harness.pool.bundles.contains { if case .rolledBack = $0.status { true } else { false } }
        }

        @Test("a version on trial gets its share, the first run among it, and no more")
        func share() throws {
            let harness = try harness(Self.trials(0.2))
            try put(Self.source(2), harness, until: .trial(share: 0.2))
            let answers = try answers(harness, 50)
            #expect(answers[0] == "2" && answers.count { $0 == "2" } == 10 && answers.count { $0 == "1" } == 40)
            #expect(harness.pool.bundles.first { $0.status == .trial(share: 0.2) }?.watched?.runs == 10)
            try harness.close()
        }

        @Test("one that crashes more is taken back, is not loaded again, and serves when an operator says so")
        func takenBack() throws {
            let harness = try harness(Self.trials(0.5))
            for _ in 0..<10 { _ = try harness.call("demo.fall", "[5]") }
            try put(Self.source(2, crashesFrom: 5), harness, until: .trial(share: 0.5))
            var crashes = 0
            for _ in 0..<6 where try harness.call("demo.fall", "[5]").outcome.death != nil { crashes += 1 }
            #expect(crashes == 3)
            try harness.wait("it to be taken back") { isTakenBack(harness) }
            harness.pool.rescan()
            #expect(try answers(harness, 10) == [String](repeating: "1", count: 10))
            let sentence = harness.changes.compactMap { if case .rolledBack(let why) = $0.status { why } else { nil } }
            #expect(sentence.count == 1)
            // The last good run may have been given before the third crash was looked at.
            #expect(sentence[0].contains("demo 2.0 is taken back: 3 of 3 runs (before: 0 of 1"))
            #expect(sentence[0].contains("of demo.fall crashed"))
            #expect(harness.pool.promote("other") == nil)
            #expect(harness.pool.promote("demo") == ["\(harness.folder)/demo.so is loaded again"])
            try harness.wait("it to serve") { harness.pool.bundles.map(\.manifest?.version) == ["2.0"] }
            for _ in 0..<4 { #expect(try harness.call("demo.fall", "[5]").outcome.death != nil) }
            #expect(try answers(harness, 1) == ["2"])
            #expect(!isTakenBack(harness))
            try harness.close()
        }

        @Test("one that serves everything at once is watched as well: the version before comes back")
        func watchedWithoutShare() throws {
            let harness = try harness(Self.trials())
            try put(Self.source(2, crashesFrom: 5), harness, until: .active)
            for _ in 0..<3 { #expect(try harness.call("demo.fall", "[5]").outcome.death != nil) }
            try harness.wait("it to be taken back") { isTakenBack(harness) }
            #expect(try answers(harness, 3) == ["1", "1", "1"])
            #expect(harness.pool.rollBack("demo") == [])
            try harness.close()
        }

        @Test("what has crashed once is not given to a version on trial again")
        func crashedOnce() throws {
            let harness = try harness(Self.trials(0.9))
            try put(Self.source(2), harness, until: .trial(share: 0.9))
            for _ in 0..<10 {
                #expect(try harness.report(harness.start("demo.answer", starts: 2)).outcome.value == "1")
            }
            try harness.close()
        }

        @Test("one that has stood its trial serves everything")
        func promoted() throws {
            let harness = try harness(Self.trials(0.5, seconds: 0.3))
            try put(Self.source(2), harness, until: .active)
            #expect(harness.changes.contains { $0.status == .trial(share: 0.5) })
            try harness.wait("the old one to leave") { harness.pool.bundles.map(\.manifest?.version) == ["2.0"] }
            #expect(try answers(harness, 3) == ["2", "2", "2"])
            try harness.close()
        }

        @Test("one that lacks a task stays on trial; one that has a task more serves it alone")
        func otherTasks() throws {
            let harness = try harness(Self.trials(0.5, seconds: 0.2), more: Self.extra)
            try put(
                Self.source(2, more: Self.extra.replacing("extra", with: "newer")), harness, until: .trial(share: 0.5))
            for _ in 0..<4 {
                #expect(try harness.call("demo.extra").outcome.value == "3")
                #expect(try harness.call("demo.newer").outcome.value == "3")
            }
            try harness.wait("the operator to hear of it") {
                harness.lines.contains { $0.contains("stays on trial: it has no demo.extra") }
            }
            #expect(try answers(harness, 4).sorted() == ["1", "1", "2", "2"])
            #expect(harness.pool.promote("demo.so") == ["demo 2.0 serves everything"])
            #expect(harness.pool.task(named: "demo.extra") == nil)
            #expect(try answers(harness, 2) == ["2", "2"])
            #expect(harness.lines.contains { $0.contains("demo 2.0 has no demo.extra, which demo 1.0 had") })
            #expect(harness.pool.rollBack("demo") == ["demo 2.0 is taken back: the version before serves"])
            try harness.wait("the task to be there again") { harness.pool.task(named: "demo.extra") != nil }
            #expect(try harness.call("demo.extra").outcome.value == "3")
            try harness.close()
        }

        @Test("one whose process dies while it is on trial is taken back; nothing is lost")
        func zygoteDies() throws {
            let harness = try harness(Self.trials(0.5))
            try put(Self.source(2), harness, until: .trial(share: 0.5))
            let pid = try #require(harness.pool.bundles.first { $0.status == .trial(share: 0.5) }?.zygotePID)
            kill(pid, SIGKILL)
            try harness.wait("it to be taken back") { isTakenBack(harness) }
            #expect(try answers(harness, 4) == ["1", "1", "1", "1"])
            try harness.wait("it to be gone") { harness.pool.bundles.count == 2 }
            try harness.close()
        }

        @Test("a newer version on trial takes the place of the one that is on trial")
        func newer() throws {
            let harness = try harness(Self.trials(0.5))
            try put(Self.source(2, crashesFrom: 0), harness, until: .trial(share: 0.5))
            try compile(Self.source(3), to: harness.folder + "/demo.so")
            try harness.wait("the newer one") {
                harness.pool.bundles.contains { $0.status == .trial(share: 0.5) && $0.manifest?.version == "3.0" }
            }
            #expect(Set(try answers(harness, 6)) == ["1", "3"])
            try harness.close()
        }

        @Test(
            "a share of crashes has risen when there are three, above a hundredth and twice of what was usual",
            arguments: [
                (new: (10, 2), old: (1000, 0), true, false), (new: (10, 3), old: (1000, 0), true, true),
                (new: (300, 3), old: (0, 0), true, false), (new: (299, 3), old: (0, 0), true, true),
                (new: (10, 3), old: (20, 3), true, false), (new: (10, 4), old: (20, 3), true, true),
            ])
        func risen(new: (Int, Int), old: (Int, Int), _: Bool, isWorse: Bool) {
            let figures = VersionTrial.hasRisen(
                RunTally(runs: new.0, crashes: new.1), from: RunTally(runs: old.0, crashes: old.1))
            #expect((figures != nil) == isWorse)
        }
    }
}
