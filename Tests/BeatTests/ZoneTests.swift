// Time zones: the system's files, POSIX rules, and what of both is refused.
// ZONE_INSTANTS=100000 swift test --filter ZoneTests compares more of them; BEAT_SEED others.
import Linux
import TaskModel
import Testing

@testable import Beat

@Suite struct ZoneTests {
    @Test("offsets of all zones are those that Python reads from the same files")
    func sameAsPython() throws {
        let environment = ThisProcess.environment
        let count = environment["ZONE_INSTANTS"] ?? "5000"
        var clocks: [Substring: LocalClock] = [:]
        var compared = 0
        for line in try PythonRun.lines("offsets.py", [count, environment["BEAT_SEED"] ?? "1"]) {
            let fields = line.split(separator: " ")
            let clock = try #require(clocks[fields[0]] ?? LocalClock(String(fields[0])), "\(fields[0])")
            clocks[fields[0]] = clock
            let time = WallTime(microseconds: try #require(Int64(fields[1])) * LocalTime.second)
            #expect(clock.offset(at: time) == Int64(fields[2]), "\(line)")
            compared += 1
        }
        #expect(compared >= Int(count) ?? .max && clocks.count > 300)
    }

    @Test("a TZ variable may hold a rule for every year, on both halves of the earth")
    func rules() throws {
        func offset(_ rule: String, _ text: String) throws -> Int64 {
            try #require(ZoneRules(posix: rule)).offset(at: time(text).microseconds / LocalTime.second)
        }
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3"
        #expect(try offset(berlin, "2026-03-29T00:59:59+00:00") == 3600)
        #expect(try offset(berlin, "2026-03-29T01:00:00+00:00") == 7200)
        #expect(try offset(berlin, "2026-10-25T00:59:59+00:00") == 7200)
        #expect(try offset(berlin, "2026-10-25T01:00:00+00:00") == 3600)
        let lordHowe = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
        #expect(try offset(lordHowe, "2026-01-01T00:00:00+00:00") == 39_600)
        #expect(try offset(lordHowe, "2026-07-01T00:00:00+00:00") == 37_800)
        #expect(try offset("EST5EDT", "2026-07-01T00:00:00+00:00") == -14_400)
        #expect(try offset("<-03>3", "2026-07-01T00:00:00+00:00") == -10_800)
        // Days by their number: with and without 29 February.
        #expect(try offset("ABC0DEF,J60/0,J300/0", "2028-03-01T00:00:00+00:00") == 3600)
        #expect(try offset("ABC0DEF,J60/0,J300/0", "2028-02-29T23:59:59+00:00") == 0)
        #expect(try offset("ABC0DEF,59/0,300/0", "2028-02-29T00:00:00+00:00") == 3600)
        // Before the day itself, and long after it.
        #expect(try offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59+00:00") == -7200)
        #expect(try offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00+00:00") == -3600)
        #expect(try offset("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00+00:00") == 10_800)
    }

    @Test(
        "what is no rule is refused",
        arguments: [
            "", "CE-1", "CET", "CET-25", "CET-1CEST,M13.1.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0,", "<+01-1", "CET-1:60",
            "CET-1CEST,J0,J10", "Europe/Berlin",
        ])
    func badRules(_ text: String) { #expect(ZoneRules(posix: text) == nil) }

    @Test("a file that is cut off anywhere, or is none, is refused")
    func badFiles() throws {
        let file = try Files.read("/usr/share/zoneinfo/Europe/Berlin")
        #expect(ZoneRules(file: file) != nil)
        let end = try #require(file.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        for length in 0..<end { #expect(ZoneRules(file: Array(file[..<length])) == nil, "\(length)") }
        #expect(ZoneRules(file: Array("#!/bin/sh\n".utf8) + file) == nil)
    }

    @Test("the system's zone is what TZ says: a name, a path or a rule; UTC when it says nothing of use")
    func variable() {
        func found(_ text: String) -> (String, Int64) {
            let zone = ZoneFiles.system(text)
            return (zone.name, zone.rules.offset(at: 1_767_225_600))
        }
        #expect(found("Asia/Tokyo") == ("Asia/Tokyo", 32_400))
        #expect(found(":Asia/Tokyo") == ("Asia/Tokyo", 32_400))
        #expect(found("/usr/share/zoneinfo/Asia/Tokyo") == ("Asia/Tokyo", 32_400))
        #expect(found("JST-9") == ("JST-9", 32_400))
        #expect(found("") == ("UTC", 0))
        #expect(found("../../../etc/passwd") == ("UTC", 0))
        #expect(found("/etc/passwd") == ("UTC", 0))
    }

    @Test("times are written with the zone's offset")
    func texts() throws {
        let moment = time("2026-11-23T06:30:00+00:00")
        #expect(try #require(LocalClock("Europe/Berlin")).text(moment) == "Mon 2026-11-23 07:30:00 +0100")
        #expect(try #require(LocalClock("Europe/Berlin")).iso8601(moment) == "2026-11-23T07:30:00+01:00")
        #expect(try #require(LocalClock("America/St_Johns")).iso8601(moment) == "2026-11-23T03:00:00-03:30")
        #expect(LocalClock.utc.text(time("1969-12-31T23:59:59+00:00")) == "Wed 1969-12-31 23:59:59 +0000")
    }
}
