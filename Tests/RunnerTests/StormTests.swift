// Random deaths: every run is reported once, no slot is lost, nothing stays behind.

import CLinux
import Glibc
import Ports
import Runner
import TaskModel
import Testing

extension RunnerSuite {
    @Suite("storms")
    struct Storms {
        @Test(
            "children and zygotes killed at random: each run is reported once", .timeLimit(.minutes(2)),
            arguments: [1, 2])
        func randomKills(seed: UInt64) throws {
            let slots = 4
            let harness = try Harness("arithmetic", "sleeper", slots: slots)
            var state = seed &* 0x9e37_79b9_7f4a_7c15
            func random(_ bound: UInt64) -> UInt64 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return state % bound
            }
            var started = 0
            var pending: Set<RunID> = []
            var zygoteKills = 0
            while started < 600 || !pending.isEmpty {
                while started < 600, pending.count < slots + 6 {
                    let keep = random(2) == 0 ? 0 : 50
                    let run =
                        random(3) == 0
                        ? harness.start("sleeper.kept", "[\(random(5))]", keep: keep)
                        : harness.start("tasks.add", "[4, 6]", keep: keep)
                    pending.insert(run)
                    started += 1
                }
                harness.loop.runOnce(timeoutSeconds: 0.001)
                switch random(40) {
                case 0...3:
                    let running = pending.filter { harness.began[$0] != nil && harness.finished[$0] == nil }
                    if let victim = running.min(by: { $0.number < $1.number }) { kill(harness.began[victim]!, SIGKILL) }
                case 4:
                    let running = pending.filter { harness.finished[$0] == nil }
                    if let victim = running.max(by: { $0.number < $1.number }) {
                        harness.pool.kill(victim, because: .hardLimit(seconds: 1))
                    }
                case 5 where started < 600 && zygoteKills < 3:
                    let zygotes = harness.pool.bundles.filter { $0.status == .active }.compactMap(\.zygotePID)
                    if let victim = zygotes.first { kill(victim, SIGKILL) }
                    zygoteKills += 1
                    // Deaths right after the start would pause the bundle, which is another test's matter.
                    let until = clinux_monotonic_ns() + 1_100_000_000
                    try harness.wait("time to pass") { clinux_monotonic_ns() > until }
                default:
                    break
                }
                pending = pending.filter { harness.finished[$0] == nil }
            }
            #expect(harness.finished.count == 600)
            // No slot was lost: as many run at once as before.
            let last = (0..<slots).map { _ in harness.start("sleeper.sleep", "[0.3]") }
            try harness.wait("all slots to be busy") { last.allSatisfy { harness.began[$0] != nil } }
            #expect(last.allSatisfy { harness.finished[$0] == nil })
            for run in last { #expect(try harness.report(run).outcome.value != nil) }
            try harness.close()
        }
    }
}
