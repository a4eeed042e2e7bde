// The rule of all second attempts.
import TaskModel
import Testing

@Suite("Back-off")
struct BackoffTests {
    @Test("each wait is twice the one before, up to the longest")
    func doubles() {
        var backoff = Backoff(initial: 0.5, max: 3)
        #expect((0..<5).map { _ in backoff.next() } == [0.5, 1, 2, 3, 3])
    }

    @Test("after a reset the first wait comes again, and it is known that none was given since")
    func resets() {
        var backoff = Backoff(initial: 1, max: 8)
        for _ in 0..<3 { _ = backoff.next() }
        #expect(backoff.attempts == 3)
        backoff.reset()
        #expect(backoff.attempts == 0)
        #expect(backoff.next() == 1)
    }

    @Test("waits are drawn from the part of the step that is asked for")
    func jitter() {
        var backoff = Backoff(initial: 4, max: 4, jitter: Backoff.upperHalf)
        let waits = (0..<200).map { _ in backoff.next() }
        #expect(waits.allSatisfy { 2.0...4.0 ~= $0 })
        #expect(Set(waits).count > 100)
    }

    @Test("another factor than two, and a longest wait below the first")
    func factors() {
        #expect((0..<4).map(Backoff(initial: 1, max: 100, factor: 3).step) == [1, 3, 9, 27])
        #expect((0..<3).map(Backoff(initial: 5, max: 2).step) == [2, 2, 2])
    }

    @Test("no number of attempts is too large, and none below the first is another than it")
    func extremes() {
        #expect(Backoff(initial: 0.1, max: 30).step(.max) == 30)
        #expect(Backoff(initial: 0.1, max: 30).step(-1) == 0.1)
        #expect(Backoff(initial: 0, max: 30).step(.max) == 0)
    }
}
