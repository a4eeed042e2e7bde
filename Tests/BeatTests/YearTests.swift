// A year of beat on three machines, in zones that set their clocks in different ways.
// BEAT_YEARS=20 swift test --filter YearTests takes more of them.
import Foundation
import TaskModel
import Testing

@testable import Beat

@Suite struct YearTests {
    static let start = time("2026-01-01T00:00:00+00:00")
    static let year = 365.0 * 86_400
    static let seeds = UInt64(ProcessInfo.processInfo.environment["BEAT_YEARS"] ?? "") ?? 2
    static let zones = [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo",
        "Pacific/Chatham",
    ]

    static func entries(_ missed: MissedRuns) throws -> [BeatEntry] {
        var made: [BeatEntry] = []
        for zone in zones {
            let clock = try #require(LocalClock(zone))
            for cron in ["30 2 * * *", "0 0 * * *", "15 */3 * * *", "45 1,2,3 * * sun"] {
                let schedule = Schedule(.cron(try Crontab(cron)), clock: clock)
                made.append(BeatEntry("\(cron) \(zone)", schedule: schedule, missed: missed))
            }
        }
        let berlin = try #require(LocalClock("Europe/Berlin"))
        let rules: [(String, Schedule.Rule)] = [
            ("hourly", .cron(try Crontab("0 * * * *"))), ("interval", .every(try Interval(seconds: 5400))),
            ("rounded", .every(try Interval(seconds: 14_400, isRelative: true))),
            // In the second showing of an hour.
            ("once", .at(time("2026-10-25T01:30:00+00:00"))),
        ]
        for (name, rule) in rules {
            made.append(BeatEntry(name, schedule: Schedule(rule, clock: berlin), missed: missed))
        }
        return made
    }

    /// What is due after an entry was first seen, until `end`.
    static func chain(_ entry: BeatEntry, _ world: BeatWorld, until end: WallTime) throws -> [WallTime] {
        let memory = try #require(world.firstMemory.flatMap(BeatMemory.init))
        var last = try #require(memory.runs[entry.name]).last
        var found: [WallTime] = []
        while let next = entry.schedule.next(after: last), next <= end {
            found.append(next)
            last = next
        }
        return found
    }

    /// Due times in the order of their first arrival.
    static func firsts(_ world: BeatWorld) -> [String: [WallTime]] {
        var ids: Set<String> = []
        var found: [String: [WallTime]] = [:]
        for arrival in world.arrivals where ids.insert(arrival.id).inserted {
            found[arrival.name, default: []].append(arrival.due)
        }
        return found
    }

    /// Every few hours something goes wrong: by chance, and in the steps around a sending.
    static func storm(_ world: BeatWorld) {
        world.later(Double.random(in: 0...40_000, using: &world.random)) {
            guard let victim = world.machines.randomElement(using: &world.random) else { return }
            switch Int.random(in: 0..<10, using: &world.random) {
            case 0..<2: victim.kill()
            case 2: for machine in world.machines { machine.kill() }
            case 3..<5: victim.freeze()
            case 5: victim.restart()
            case 6: victim.clockError = 0
            default:
                world.faults.jumps += 1
                victim.clockError = Double(Int.random(in: -5400...5400, using: &world.random))
            }
            storm(world)
        }
    }

    @Test(
        "in a calm year every due time is sent once and in time, whatever is said of missed ones",
        arguments: MissedRuns.allCases)
    func calm(_ missed: MissedRuns) throws {
        let entries = try Self.entries(missed)
        let world = BeatWorld(seed: 1, start: Self.start, entries: entries, machines: 2)
        for machine in world.machines { machine.boot() }
        world.run(until: Self.year)
        let sent = Self.firsts(world)
        for entry in entries {
            let chain = try Self.chain(entry, world, until: world.start.advanced(bySeconds: Self.year - 1))
            #expect(sent[entry.name] == chain, "\(entry.name)")
        }
        #expect(Set(world.arrivals.map(\.id)).count == world.arrivals.count)
        #expect(world.arrivals.allSatisfy { (0..<1).contains($0.sentAt.seconds(since: $0.due)) })
    }

    @Test(
        "kills, freezes, lost confirms and clocks that are set: no due time is left out, none becomes two tasks",
        arguments: 1...seeds)
    func stormy(_ seed: UInt64) throws {
        let entries = try Self.entries(.all)
        let world = BeatWorld(seed: seed, start: Self.start, entries: entries, machines: 3)
        for machine in world.machines { machine.boot() }
        world.run(until: 1)
        Self.storm(world)
        world.deadlySteps = 400
        world.lostConfirms = 200
        world.run(until: Self.year)
        // What is still due then gets a calm hour.
        world.deadlySteps = nil
        world.lostConfirms = nil
        for machine in world.machines { machine.clockError = 0 }
        let end = world.start.advanced(bySeconds: world.now)
        world.run(until: world.now + 40_000)

        let sent = Self.firsts(world)
        for entry in entries {
            let times = sent[entry.name] ?? []
            let chain = try Self.chain(entry, world, until: max(end, times.last ?? end))
            #expect(times == chain, "\(entry.name)")
        }
        // One name and due time, one id.
        let runs = Set(world.arrivals.map { "\($0.name) \($0.due.microseconds)" })
        let ids = Set(world.arrivals.map(\.id))
        #expect(runs.count == ids.count)
        #expect(world.arrivals.allSatisfy { $0.due <= $0.sentAt })
        // Sent again is only what a fault left undecided.
        let again = world.arrivals.count - ids.count
        print("seed \(seed): \(world.arrivals.count) messages, \(again) again, \(world.faults)")
        #expect((1...world.faults.total).contains(again))
        #expect(world.faults.kills > 100 && world.faults.freezes > 50 && world.faults.jumps > 50)
    }

    @Test(
        "policies in a stormy year: late ones are left out as they say, no due time is of their own making",
        arguments: [MissedRuns.once, .skip])
    func policies(_ missed: MissedRuns) throws {
        let entries = try Self.entries(missed).filter { !["interval", "rounded"].contains($0.name) }
        let world = BeatWorld(seed: 9, start: Self.start, entries: entries, machines: 3)
        for machine in world.machines { machine.boot() }
        world.run(until: 1)
        Self.storm(world)
        world.deadlySteps = 400
        world.run(until: Self.year)
        let sent = Self.firsts(world)
        for entry in entries {
            let times = sent[entry.name] ?? []
            let chain = Set(try Self.chain(entry, world, until: world.start.advanced(bySeconds: Self.year + 7200)))
            #expect(Set(times).count == times.count, "\(entry.name)")
            let strangers = times.filter { !chain.contains($0) }.map(entry.schedule.clock.text)
            #expect(strangers == [], "\(entry.name)")
        }
        let late = world.arrivals.map { $0.sentAt.seconds(since: $0.due) }.max() ?? 0
        #expect(missed == .skip ? late <= MissedRuns.tolerance : late > MissedRuns.tolerance)
    }
}
