// The same schedules asked of stock Celery and of us: pseudo-random expressions, zones and instants.
// BEAT_PAIRS=100000 swift test --filter DifferentialTests asks more of them; BEAT_SEED others.
import Foundation
import TaskModel
import TaskhostJSON
import TestKit
import Testing

@testable import Beat

@Suite struct DifferentialTests {
    /// Where we differ, and why (docs/beat.md).
    struct Differences {
        /// Celery's next run is not after the last one: it would run again at once, over and over for an hour.
        var again = 0
        /// Any hour keeps its pace where the clock is set back; with Celery it is silent for so long.
        var pace = 0
        var compared = 0
        var refused = 0
    }

    @Test("next runs are Celery's, save where it would run again at once, or falls silent as the clock is set back")
    func sameAsCelery() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["BEAT_PAIRS"] ?? "5000"
        var seen = Differences()
        for line in try PythonRun.lines("schedules.py", [count, environment["BEAT_SEED"] ?? "1"]) {
            try compare(line, &seen)
        }
        print(
            """
            compared \(seen.compared), both refused \(seen.refused), run again at once by Celery \(seen.again), \
            silent for an hour with Celery \(seen.pace)
            """)
        #expect(seen.compared + seen.refused + seen.again + seen.pace == Int(count))
        #expect((seen.again + seen.pace) * 50 < seen.compared)
    }

    private func compare(_ line: Substring, _ seen: inout Differences) throws {
        let fields = try #require(try JSON(parsing: Array(line.utf8)).elements)
        let clock = try #require(LocalClock(fields[2].text ?? ""))
        let last = WallTime(microseconds: try #require(fields[3].integer))
        guard let rule = rule(fields) else {
            #expect(fields[4].isNull, "refused here only: \(line)")
            seen.refused += 1
            return
        }
        guard let expected = fields[4].integer else {
            Issue.record("refused by Celery only: \(line)")
            return
        }
        let next = try #require(Schedule(rule, clock: clock).next(after: last))
        guard expected > last.microseconds else {
            seen.again += 1
            #expect(next > last)
            return
        }
        if case .cron(let crontab) = rule, crontab.isHourly, next.microseconds < expected,
            clock.offset(at: WallTime(microseconds: expected)) < clock.offset(at: last.advanced(bySeconds: -10_800))
        {
            seen.pace += 1
            return
        }
        seen.compared += 1
        #expect(next.microseconds == expected, "\(line)")
    }
}

extension DifferentialTests {
    /// nil: refused.
    private func rule(_ fields: [JSON]) -> Schedule.Rule? {
        do {
            guard fields[0].text == "cron" else {
                return .every(try Interval(seconds: fields[1].number ?? 0, isRelative: true))
            }
            return .cron(try Crontab(fields[1].text ?? ""))
        } catch {
            return nil
        }
    }
}

/// A script of Tests/Interop, run to its end by the Python that has the stock Celery.
enum PythonRun {
    static func lines(_ name: String, _ arguments: [String]) throws -> [Substring] {
        let (output, status) = try Program.run(
            Python.interpreter(), ["-B", Python.script(name)] + arguments, withErrors: false)
        #expect(status == 0)
        return output.split(separator: "\n")
    }
}
