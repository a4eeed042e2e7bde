// What the sun does, compared with the library that Celery asks (ephem), and where that one finds nothing.
// SOLAR_PAIRS=100000 swift test --filter SolarTests asks for more; BEAT_SEED for others.
import Foundation
import TaskModel
import TaskhostJSON
import Testing

@testable import Beat

@Suite struct SolarTests {
    /// Seconds, by latitude: where every day has its sunrise, where some have none, and around the poles.
    static let tolerance = [10.0, 120, 120]

    @Test("events are Celery's within seconds, far north within minutes, save on days when the sun only just does that")
    func sameAsCelery() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["SOLAR_PAIRS"] ?? "3000"
        var compared = [0, 0, 0]
        var different = [0, 0, 0]
        for line in try PythonRun.lines("solar.py", [count, environment["BEAT_SEED"] ?? "1"]) {
            let fields = try #require(try JSON(parsing: Array(line.utf8)).elements)
            let event = try #require(Solar.Event(rawValue: fields[0].text ?? ""))
            let latitude = try #require(fields[1].number)
            let solar = try Solar(event, latitude: latitude, longitude: try #require(fields[2].number))
            let last = WallTime(microseconds: try #require(fields[3].integer))
            let expected = WallTime(microseconds: try #require(fields[4].integer))
            let next = try #require(solar.next(after: last), "\(line)")
            #expect(next > last)
            let zone = abs(latitude) < 48 ? 0 : abs(latitude) < 80 ? 1 : 2
            compared[zone] += 1
            if abs(next.seconds(since: expected)) > Self.tolerance[zone], abs(latitude) < 89 { different[zone] += 1 }
        }
        print("compared \(compared), other than Celery \(different)")
        #expect(compared.reduce(0, +) == Int(count))
        #expect(different[0] == 0)
        #expect(different[1] * 200 < compared[1])
        #expect(different[2] * 10 < compared[2])
    }

    @Test("in the midnight sun the next sunset is weeks away, and every sunset of the year is found once")
    func midnightSun() throws {
        let tromso = try Solar(.sunset, latitude: 69.65, longitude: 18.96)
        let next = try #require(tromso.next(after: time("2026-06-01T00:00:00+00:00")))
        #expect((time("2026-07-24T00:00:00+00:00")...time("2026-07-30T00:00:00+00:00")).contains(next))
        var last = time("2026-01-01T00:00:00+00:00")
        var count = 0
        while let next = tromso.next(after: last), next < time("2027-01-01T00:00:00+00:00") {
            #expect(count == 0 || next.seconds(since: last) > 80_000)
            last = next
            count += 1
        }
        // Two months of polar day, a month and a half of polar night.
        #expect((240...265).contains(count))
    }

    @Test("at the poles the sun rises once a year", arguments: [(90.0, 3), (-90, 9)])
    func poles(_ latitude: Double, _ month: Int) throws {
        let solar = try Solar(.sunrise, latitude: latitude, longitude: 0)
        let first = try #require(solar.next(after: time("2026-01-01T00:00:00+00:00")))
        let second = try #require(solar.next(after: first))
        #expect(CivilDay(days: first.microseconds / LocalTime.day).month == month)
        #expect((364.0...367).contains(second.seconds(since: first) / 86_400))
    }

    @Test("places off the map are refused", arguments: [(90.1, 0.0), (-91, 0), (0, 180.5), (.nan, 0)])
    func offTheMap(_ latitude: Double, _ longitude: Double) {
        #expect(throws: ScheduleError.self) { try Solar(.sunrise, latitude: latitude, longitude: longitude) }
    }
}
