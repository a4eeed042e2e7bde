// Times as Celery writes and reads them.
import CeleryWire
import TaskModel
import TestKit
import Testing

@Suite("ISO 8601")
struct ISO8601Tests {
    @Test(
        "reads every form clients send",
        arguments: [
            ("1970-01-01T00:00:00+00:00", 0), ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("1970", 0),
            ("1970-01", 0), ("1970-01-01T01:00:00.000001+01:00", 1), ("1970-01-01 00:00", 0),
            ("19700101T000001Z", 1_000_000),
            ("1970-01-01T00:00:00.5", 500_000), ("1970-01-01T00:00:00,123456789", 123_456),
            ("1969-12-31T23:59:59.25Z", -750_000),
            ("2026-11-22T19:50:57.439791+00:00", 1_795_377_057_439_791),
            ("2026-11-22T14:50:57.439791-05:00", 1_795_377_057_439_791),
            ("2026-11-23T01:20:57.439791+0530", 1_795_377_057_439_791), ("2024-02-29T12:00:00", 1_709_208_000_000_000),
            ("2024-12-31T24:00:00", 1_735_689_600_000_000), ("1970-W01-4", 0), ("1970W014T00Z", 0),
            ("2020-W53", 1_609_113_600_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000), ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func reads(_ text: String, _ microseconds: Int64) {
        #expect(ISO8601.parse(text)?.microseconds == microseconds)
    }

    @Test(
        "refuses what is no time",
        arguments: [
            "", "x", "tomorrow", "2026-13-01", "2026-00-01", "2026-02-30", "2023-02-29", "2026-01-01T25:00",
            "2026-01-01T24:01",
            "2026-01-01T10:60", "2026-01-01T10:00:60", "2026-01-01T10:00:00.", "2026-01-01T10:00:00+",
            "2026-01-01T10:00:00+24:00",
            "2026-01-01T10:00:00ZZ", "2026-01-01T", "202601", "0000-01-01", "2021-W53", "2026-W00", "2026-W10-8", "1e9",
            "2026-01-01T10:00:00 UTC", "２０２６-01-01",
        ])
    func refuses(_ text: String) {
        #expect(ISO8601.parse(text) == nil)
    }

    @Test(
        "writes as Python does",
        arguments: [
            (0, "1970-01-01T00:00:00+00:00"), (1, "1970-01-01T00:00:00.000001+00:00"),
            (-1, "1969-12-31T23:59:59.999999+00:00"),
            (1_795_377_057_439_791, "2026-11-22T19:50:57.439791+00:00"), (.max, "9999-12-31T23:59:59.999999+00:00"),
            (.min, "0001-01-01T00:00:00+00:00"), (951_782_400_000_000, "2000-02-29T00:00:00+00:00"),
        ] as [(Int64, String)])
    func writes(_ microseconds: Int64, _ text: String) {
        #expect(ISO8601.format(WallTime(microseconds: microseconds)) == text)
    }

    @Test("what is written reads back as the same time")
    func roundTrip() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix(state: seed)
        for _ in 0..<20_000 {
            let time = WallTime(
                microseconds: Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &random))
            #expect(ISO8601.parse(ISO8601.format(time)) == time, "seed \(seed)")
        }
    }
}
