// The vectors of celery-protocol.md §8, seen with stock Celery.
import CeleryWire
import TaskModel
import Testing

@testable import Beat

func time(_ text: String) -> WallTime {
    guard let time = ISO8601.parse(text) else { fatalError("no such time: \(text)") }
    return time
}

@Suite struct CrontabTests {
    let berlin = LocalClock("Europe/Berlin") ?? .utc

    @Test(
        "a field means what it means to Celery",
        arguments: [
            (CrontabField.dayOfWeek, "*/2", [0, 2, 4, 6]), (.month, "*/4", [1, 5, 9]), (.minute, "*/100", [0]),
            (.hour, "22-2", [0, 1, 2, 22, 23]), (.minute, "50-10/5", [0, 5, 10, 50, 55]),
            (.dayOfWeek, "Sunday,wednesday", [0, 3]), (.dayOfWeek, "fri-mon", [0, 1, 5, 6]), (.dayOfMonth, "jan", [1]),
        ])
    func field(_ field: CrontabField, _ text: String, _ values: [Int]) throws {
        #expect(try field.parse(text[...]).sorted() == values)
    }

    @Test(
        "what Celery refuses is refused",
        arguments: [
            "* * * * 7", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "3/5 * * * *", "*/ * * * *",
            "*/0 * * * *", "1,,2 * * * *", "-1 * * * *", "* * 30 feb *", "* * 31 4,6,9,11 *", "* * * *",
        ])
    func refused(_ text: String) {
        #expect(throws: ScheduleError.self) { try Crontab(text) }
    }

    @Test(
        "the clock set forward and back, in Berlin",
        arguments: [
            ("30 2 * * *", "2024-03-30T02:30:00+01:00", "2024-03-31T03:30:00+02:00"),
            ("30 2 * * *", "2024-03-31T03:30:00+02:00", "2024-04-01T02:30:00+02:00"),
            ("*/30 * * * *", "2024-03-31T01:30:00+01:00", "2024-03-31T03:00:00+02:00"),
            ("30 2 * * *", "2024-10-26T02:30:00+02:00", "2024-10-27T02:30:00+02:00"),
            ("30 2 * * *", "2024-10-27T02:30:00+02:00", "2024-10-28T02:30:00+01:00"),
            // Fixed hours once, any hour at its pace.
            ("*/30 2 * * *", "2024-10-27T02:30:00+02:00", "2024-10-28T02:00:00+01:00"),
            ("0 */2 * * *", "2024-10-27T02:00:00+02:00", "2024-10-27T04:00:00+01:00"),
            ("*/30 * * * *", "2024-10-27T02:30:00+02:00", "2024-10-27T02:00:00+01:00"),
            ("0 * * * *", "2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"),
            ("0 0-23 * * *", "2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"),
            ("*/30 * * * *", "2024-10-27T02:10:00+01:00", "2024-10-27T02:30:00+01:00"),
            ("* * * * *", "2024-10-27T02:59:00+02:00", "2024-10-27T02:00:00+01:00"),
            ("* * * * *", "2024-10-27T02:59:00+01:00", "2024-10-27T03:00:00+01:00"),
            ("30 * 28 * *", "2024-10-26T12:00:00+02:00", "2024-10-28T00:30:00+01:00"),
        ])
    func summerTime(_ crontab: String, _ last: String, _ next: String) throws {
        let schedule = Schedule(.cron(try Crontab(crontab)), clock: berlin)
        #expect(schedule.next(after: time(last)) == time(next))
    }

    @Test("half an hour that the clock shows twice, on Lord Howe")
    func halfHour() throws {
        let clock = try #require(LocalClock("Australia/Lord_Howe"))
        let schedule = Schedule(.cron(try Crontab("*/10 * * * *")), clock: clock)
        var now = time("2027-04-03T14:45:00+00:00")
        for expected in ["14:50", "15:00", "15:10", "15:20", "15:30", "15:40"] {
            now = try #require(schedule.next(after: now))
            #expect(now == time("2027-04-03T\(expected):00+00:00"))
        }
    }

    @Test("days of month and of week must both match")
    func bothDays() throws {
        let next = Schedule(.cron(try Crontab("0 0 13 * fri"))).next(after: time("2026-01-01T00:00:00+00:00"))
        #expect(next == time("2026-02-13T00:00:00+00:00"))
    }

    @Test(
        "intervals count from the last run, relative ones go by round times",
        arguments: [
            (300.0, false, "2026-01-05T10:07:07+00:00"), (300, true, "2026-01-05T10:07:00+00:00"),
            (3600, true, "2026-01-05T11:00:00+00:00"), (7200, true, "2026-01-05T12:00:00+00:00"),
            (86_400, true, "2026-01-06T00:00:00+00:00"),
        ])
    func interval(_ seconds: Double, _ relative: Bool, _ next: String) throws {
        let schedule = Schedule(.every(try Interval(seconds: seconds, isRelative: relative)))
        #expect(schedule.next(after: time("2026-01-05T10:02:07+00:00")) == time(next))
    }

    @Test("a single time is due once")
    func once() {
        let schedule = Schedule(.at(time("2026-01-01T00:00:00+00:00")))
        #expect(schedule.next(after: time("2025-06-01T00:00:00+00:00")) == time("2026-01-01T00:00:00+00:00"))
        #expect(schedule.next(after: time("2026-01-01T00:00:00+00:00")) == nil)
    }

    @Test("names of zones are those of the data base", arguments: ["Europe/Berlin", "UTC", "Asia/Kolkata"])
    func zones(_ name: String) { #expect(LocalClock(name)?.name == name || name == "Asia/Kolkata") }

    @Test("unknown zones are refused", arguments: ["Europe/Atlantis", "", "Berlin"])
    func unknownZones(_ name: String) { #expect(LocalClock(name) == nil) }
}
