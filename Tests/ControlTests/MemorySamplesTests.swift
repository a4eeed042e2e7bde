// Memory, told in Celery's words.
import Testing

@testable import Control

@Suite("Memory samples")
struct MemorySamplesTests {
    @Test(
        "sizes have five digits at most and a unit",
        arguments: [
            (0, "0b"), (1023, "1023b"), (1024, "1KB"), (1_048_576, "1MB"), (63_614_976, "60.668MB"),
            (1_572_864, "1.5MB"), (1_073_741_823, "1024.0MB"), (130_023_424, "124MB"), (130_023_425, "124.0MB"),
            (1_320_702_443, "1.23GB"),
        ])
    func sizes(bytes: UInt64, text: String) { #expect(MemorySamples.text(bytes) == text) }

    @Test("a dump tells the samples since the last one, and what holds now")
    func dump() {
        var now: UInt64 = 1 << 20
        var samples = MemorySamples { now }
        #expect(samples.dump() == "- rss (end): 1MB.\n")
        #expect(samples.sample() == "1MB")
        now = 2 << 20
        #expect(samples.sample() == "2MB")
        #expect(samples.dump() == "- rss (sample):\n-    > 1MB,\n-    > 2MB,\n- rss (end): 2MB.\n")
        #expect(samples.dump() == "- rss (end): 2MB.\n")
    }

    @Test("of many samples every n-th is shown, ten of them")
    func many() {
        let lines = Self.dump(after: 25)
        #expect(lines.count == 12)
        #expect(lines[1...3] == ["-    > 1MB,", "-    > 3MB,", "-    > 5MB,"])
    }

    @Test("of more than a thousand samples the oldest are forgotten")
    func bound() {
        let lines = Self.dump(after: 1010)
        #expect(lines.count == 12 && lines[1] == "-    > 11MB,")
    }

    /// So many samples, each with a megabyte more.
    private static func dump(after count: UInt64) -> [Substring] {
        var now: UInt64 = 0
        var samples = MemorySamples { now }
        for number in 1...count {
            now = number << 20
            _ = samples.sample()
        }
        return samples.dump().split(separator: "\n")
    }

    @Test("this process has some memory")
    func own() {
        var samples = MemorySamples()
        #expect(samples.sample().hasSuffix("MB"))
    }
}
