// What a leader does with due times, those that passed unseen among them.
import TaskModel
import Testing

@testable import Beat

@Suite struct CoreTests {
    static let start = time("2026-03-01T00:00:00+00:00")

    private func core(_ rule: Schedule.Rule, _ missed: MissedRuns, memory: BeatMemory = BeatMemory()) -> BeatCore {
        BeatCore([BeatEntry("a", schedule: Schedule(rule), missed: missed)], memory: memory, now: Self.start)
    }

    /// All that is due now, sent one after the other.
    private func sendAll(_ core: inout BeatCore, now: WallTime) -> [WallTime] {
        var sent: [WallTime] = []
        while let run = core.due(now: now).first {
            sent.append(run.time)
            core.sent(run)
        }
        return sent
    }

    @Test(
        "of many missed runs, one is made up for, none, or each",
        arguments: [(MissedRuns.once, 1), (.skip, 0), (.all, 48)])
    func missed(_ policy: MissedRuns, _ count: Int) throws {
        var core = core(.cron(try Crontab("0 * * * *")), policy)
        let sent = sendAll(&core, now: time("2026-03-03T00:30:00+00:00"))
        #expect(sent.count == count)
        if policy == .once { #expect(sent == [time("2026-03-03T00:00:00+00:00")]) }
        #expect(core.nextTime == time("2026-03-03T01:00:00+00:00"))
    }

    @Test("skip: a minute late is in time, so that a change of the leader loses none")
    func skipTolerance() throws {
        let rule = Schedule.Rule.cron(try Crontab("0 * * * *"))
        var inTime = core(rule, .skip)
        #expect(sendAll(&inTime, now: time("2026-03-01T05:01:00+00:00")) == [time("2026-03-01T05:00:00+00:00")])
        var late = core(rule, .skip)
        #expect(sendAll(&late, now: time("2026-03-01T05:01:01+00:00")).isEmpty)
        #expect(late.nextTime == time("2026-03-01T06:00:00+00:00"))
    }

    @Test("an interval that is overdue by more than one goes on from now; with all, from each due time")
    func lateInterval() throws {
        let rule = Schedule.Rule.every(try Interval(seconds: 600))
        let now = time("2026-03-01T01:05:00+00:00")
        var once = core(rule, .once)
        #expect(sendAll(&once, now: now) == [time("2026-03-01T00:10:00+00:00")])
        #expect(once.nextTime == time("2026-03-01T01:15:00+00:00"))
        var all = core(rule, .all)
        #expect(sendAll(&all, now: now).count == 6)
        #expect(all.nextTime == time("2026-03-01T01:10:00+00:00"))
    }

    @Test("a single time that was missed is made up for, unless missed ones are skipped; one before the start is not")
    func singleTime() {
        let at = Schedule.Rule.at(time("2026-03-01T12:00:00+00:00"))
        let now = time("2026-03-02T00:00:00+00:00")
        for (policy, count) in [(MissedRuns.once, 1), (.all, 1), (.skip, 0)] {
            var core = core(at, policy)
            #expect(sendAll(&core, now: now).count == count, "\(policy)")
            #expect(core.nextTime == nil)
        }
        var past = core(.at(time("2026-02-28T00:00:00+00:00")), .all)
        #expect(sendAll(&past, now: now).isEmpty)
    }

    @Test("what is under way is not due again; unsent, it is; sent, the next one is")
    func underWay() throws {
        var core = core(.cron(try Crontab("0 * * * *")), .all)
        let now = time("2026-03-01T02:30:00+00:00")
        let first = try #require(core.due(now: now).first)
        #expect(first.time == time("2026-03-01T01:00:00+00:00"))
        #expect(core.due(now: now).isEmpty && core.nextTime == nil && !core.isIdle)
        core.unsent(first)
        #expect(core.due(now: now) == [first])
        core.sent(first)
        #expect(core.isIdle)
        #expect(core.due(now: now).map(\.time) == [time("2026-03-01T02:00:00+00:00")])
    }

    @Test("a clock set back sends nothing again, one set forward makes due what it passes")
    func jumps() throws {
        var core = core(.cron(try Crontab("0 * * * *")), .all)
        #expect(sendAll(&core, now: time("2026-03-01T03:00:00+00:00")).count == 3)
        #expect(sendAll(&core, now: time("2026-03-01T00:10:00+00:00")).isEmpty)
        #expect(sendAll(&core, now: time("2026-03-01T03:59:00+00:00")).isEmpty)
        #expect(sendAll(&core, now: time("2026-03-01T06:00:00+00:00")).count == 3)
    }

    @Test("the next leader goes on where the last one's memory ends; a changed zone begins anew")
    func memory() throws {
        let rule = Schedule.Rule.cron(try Crontab("0 * * * *"))
        var first = core(rule, .all)
        #expect(sendAll(&first, now: time("2026-03-01T02:00:00+00:00")).count == 2)
        let stored = try #require(BeatMemory(first.memory.bytes))
        #expect(stored == first.memory)
        var second = core(rule, .all, memory: stored)
        #expect(sendAll(&second, now: time("2026-03-01T03:00:00+00:00")) == [time("2026-03-01T03:00:00+00:00")])
        let tokyo = try #require(LocalClock("Asia/Tokyo"))
        let moved = BeatCore(
            [BeatEntry("a", schedule: Schedule(rule, clock: tokyo), missed: .all)], memory: stored,
            now: time("2026-03-05T00:30:00+00:00"))
        #expect(moved.nextTime == time("2026-03-05T01:00:00+00:00"))
    }

    @Test("a changed rule counts from the change: due times before it held were not missed")
    func changedRule() throws {
        var daily = core(.cron(try Crontab("30 13 * * *")), .once)
        #expect(sendAll(&daily, now: time("2026-03-01T13:30:00+00:00")).count == 1)
        let stored = try #require(BeatMemory(daily.memory.bytes))
        let noon = time("2026-03-02T17:00:00+00:00")
        let entry = BeatEntry("a", schedule: Schedule(.cron(try Crontab("0 16 * * *"))))
        var moved = BeatCore([entry], memory: stored, now: noon)
        #expect(sendAll(&moved, now: noon).isEmpty && moved.nextTime == time("2026-03-03T16:00:00+00:00"))
        // Written otherwise it is the same; what nobody sent is made up for.
        var same = BeatCore(
            [BeatEntry("a", schedule: Schedule(.cron(try Crontab("30  13 * *\t*"))))], memory: stored, now: noon)
        #expect(sendAll(&same, now: noon) == [time("2026-03-02T13:30:00+00:00")])
        // While it runs, too.
        daily.replace([entry], now: noon)
        #expect(sendAll(&daily, now: noon).isEmpty)
        let longer = core(.every(try Interval(seconds: 86_400)), .once, memory: stored)
        #expect(longer.nextTime == Self.start.advanced(bySeconds: 86_400))
    }

    @Test("a schedule that was switched off counts from when it is switched on")
    func switchedOff() throws {
        let entry = BeatEntry("a", schedule: Schedule(.cron(try Crontab("0 * * * *"))), missed: .all)
        var on = BeatCore([entry], memory: BeatMemory(), now: Self.start)
        #expect(sendAll(&on, now: time("2026-03-01T01:00:00+00:00")).count == 1)
        let off = BeatCore([], disabled: ["a"], memory: on.memory, now: time("2026-03-01T01:59:00+00:00"))
        var again = BeatCore([entry], memory: off.memory, now: time("2026-03-01T03:20:00+00:00"))
        #expect(sendAll(&again, now: time("2026-03-01T03:20:00+00:00")).isEmpty)
        #expect(again.nextTime == time("2026-03-01T04:00:00+00:00"))
    }

    @Test("a memory written before rules were remembered is gone on with")
    func olderMemory() throws {
        let last = time("2026-03-01T01:00:00+00:00")
        let older = try #require(BeatMemory(Array("{\"a\":[\(last.microseconds),7,\"UTC\"]}".utf8)))
        var next = core(.cron(try Crontab("0 * * * *")), .all, memory: older)
        #expect(sendAll(&next, now: time("2026-03-01T03:00:00+00:00")).count == 2)
        // And by an older beat what is written now: it looks at the first four.
        let text = String(decoding: next.memory.bytes, as: UTF8.self)
        #expect(text.hasSuffix(",9,\"UTC\",null,\"cron 0 * * * *\"]}"))
    }

    @Test("an entry that goes and comes back within a day goes on; after that it is seen for the first time")
    func comesBack() throws {
        let rule = Schedule.Rule.cron(try Crontab("0 * * * *"))
        let entry = BeatEntry("a", schedule: Schedule(rule), missed: .all)
        let other = BeatEntry("b", schedule: Schedule(rule))
        for (hours, count) in [(23.0, 23), (25, 0)] {
            var core = BeatCore([entry], memory: BeatMemory(), now: Self.start)
            core.replace([other], now: Self.start)
            let back = Self.start.advanced(bySeconds: hours * 3600)
            // Through a leader that does not know it.
            let memory = try #require(BeatMemory(core.memory.bytes))
            #expect(memory == core.memory)
            var next = BeatCore([other], memory: memory, now: back.advanced(bySeconds: -1))
            next.replace([entry], now: back)
            #expect(sendAll(&next, now: back).count == count)
        }
    }

    @Test("what is under way when entries change is sent once")
    func changesUnderWay() throws {
        let rule = Schedule.Rule.cron(try Crontab("0 * * * *"))
        let entry = BeatEntry("a", schedule: Schedule(rule), missed: .all)
        var core = BeatCore([entry], memory: BeatMemory(), now: Self.start)
        let now = time("2026-03-01T01:00:00+00:00")
        let run = try #require(core.due(now: now).first)
        core.replace([entry, BeatEntry("b", schedule: Schedule(rule))], now: now)
        #expect(core.due(now: now).isEmpty)
        core.sent(run)
        #expect(core.due(now: now).isEmpty && core.nextTime == time("2026-03-01T02:00:00+00:00"))
    }

    @Test("a memory that something else wrote is refused", arguments: ["[1]", "", "{\"a\":[1,2]}", "{\"a\":1}"])
    func otherMemory(_ text: String) { #expect(BeatMemory(Array(text.utf8)) == nil) }

    @Test("ids are told by name and due time, and are UUIDs")
    func ids() {
        let id = DueRun(name: "a", time: Self.start).taskID
        #expect(id == DueRun(name: "a", time: Self.start).taskID)
        #expect(id != DueRun(name: "b", time: Self.start).taskID)
        #expect(id != DueRun(name: "a", time: Self.start.advanced(bySeconds: 60)).taskID)
        #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }
}
