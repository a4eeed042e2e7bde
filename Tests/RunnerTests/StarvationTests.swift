// The rules by which a starved host and its zygotes are judged: pure, without processes.

import Testing

@testable import Runner

@Suite("rules for hard times")
struct StarvationTests {
    @Test("deaths cost nothing at first, then a wait that doubles; those of a minute ago are forgotten")
    func deaths() {
        var book = DeathBook()
        let second: UInt64 = 1_000_000_000
        // One each 1.2 s: however old the dead were.
        let waits = (0..<8).map { book.died(at: 100 * second + UInt64($0) * 1_200_000_000) }
        #expect(waits == [0, 0, 1, 2, 4, 8, 16, 30])
        #expect(book.died(at: 200 * second) == 0)
    }

    @Test("starts that come to nothing wait longer each time, until one serves")
    func failures() {
        var book = DeathBook()
        #expect((0..<9).map { _ in book.failed() } == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30])
        book.served()
        #expect(book.failed() == 0.25)
    }

    @Test("a silent zygote is asked first, and hung after five seconds of our own time without a word")
    func silence() {
        var silence = ZygoteSilence()
        let judgements = (0..<13).map { _ in silence.tick(pending: 0) }
        #expect(judgements.firstIndex(of: .ask) == 1)
        #expect(judgements.firstIndex(of: .hung) == 12)
        silence.answered()
        #expect(silence.tick(pending: 0) == .fine)
        #expect(silence.tick(pending: 1_000_000) == .hung)
    }

    @Test("the limit of open files decides how many slots there can be")
    func descriptors() {
        #expect(DescriptorRoom.slots(within: 256) == 0)
        #expect(DescriptorRoom.slots(within: DescriptorRoom.minimum) >= 1)
        // Seen to work with 128 slots, and to fail with 256.
        #expect((128..<256).contains(DescriptorRoom.slots(within: 1024)))
        #expect(DescriptorRoom.slots(within: 65_536) > 4096)
    }
}
