// Durations in words.
import Testing

@testable import Output

@Suite("Durations")
struct DurationTextTests {
    @Test("durations are read at a glance")
    func durations() {
        #expect(DurationText.measured(0.00085) == "850 µs")
        #expect(DurationText.measured(0.0123) == "12.3 ms")
        #expect(DurationText.measured(4.556) == "4.56 s")
    }
}
