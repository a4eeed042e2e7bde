import Testing

@testable import RabbitMQ

@Suite("Acknowledgements in as few frames as possible")
struct AckLedgerTests {
    /// A class, because `#expect` calls no mutating functions of values.
    private final class Ledger {
        private var ledger = AckLedger()
        func delivered(_ tag: UInt64) { ledger.delivered(tag) }
        func acknowledge(_ tag: UInt64) -> Bool { ledger.acknowledge(tag) }
        func reject(_ tag: UInt64, requeue: Bool) -> Bool { ledger.reject(tag, requeue: requeue) }
        var unsettled: Int { ledger.unsettled }
        func flush() -> [AckLedger.Frame] { ledger.flush() }
    }

    private func ledger(_ count: UInt64) -> Ledger {
        let ledger = Ledger()
        for tag in 1...count { ledger.delivered(tag) }
        return ledger
    }

    @Test("a run from the oldest on becomes one frame")
    func folding() {
        let ledger = ledger(10)
        for tag: UInt64 in [3, 1, 2, 4] { #expect(ledger.acknowledge(tag)) }
        #expect(ledger.flush() == [.ack(4, multiple: true)])
        #expect(ledger.flush().isEmpty)
    }

    @Test("it knows how many are unsettled")
    func unsettled() {
        let ledger = ledger(10)
        #expect(ledger.unsettled == 10)
        #expect(ledger.acknowledge(2) && ledger.reject(7, requeue: true) && !ledger.acknowledge(2))
        #expect(ledger.unsettled == 8)
        _ = ledger.flush()
        #expect(ledger.unsettled == 8)
    }

    @Test("what lies beyond a gap goes one by one, and is not sent again when the gap closes")
    func gaps() {
        let ledger = ledger(6)
        for tag: UInt64 in [2, 4] { #expect(ledger.acknowledge(tag)) }
        #expect(ledger.flush() == [.ack(2, multiple: false), .ack(4, multiple: false)])
        #expect(ledger.acknowledge(1))
        #expect(ledger.acknowledge(3))
        #expect(ledger.flush() == [.ack(3, multiple: true)])
        #expect(ledger.acknowledge(5))
        #expect(ledger.flush() == [.ack(5, multiple: false)])
    }

    @Test("rejects go first, so that a multiple ack cannot swallow them")
    func rejects() {
        let ledger = ledger(4)
        #expect(ledger.acknowledge(1))
        #expect(ledger.reject(2, requeue: true))
        #expect(ledger.acknowledge(3))
        #expect(ledger.flush() == [.reject(2, requeue: true), .ack(3, multiple: true)])
    }

    @Test("a tag settled before, never delivered, or zero is refused")
    func nonsense() {
        let ledger = ledger(2)
        #expect(!ledger.acknowledge(0))
        #expect(!ledger.acknowledge(3))
        #expect(ledger.acknowledge(2))
        #expect(!ledger.acknowledge(2))
        #expect(!ledger.reject(2, requeue: true))
        _ = ledger.flush()
        #expect(!ledger.acknowledge(2))
    }

    @Test("100,000 random settlements settle each tag exactly once", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) {
        var state = seed
        func draw(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let ledger = Ledger()
        var next: UInt64 = 1
        var held: [UInt64] = []
        // As the broker sees it.
        var unsettled: Set<UInt64> = []
        var rejected = 0
        for _ in 0..<100_000 {
            ledger.delivered(next)
            held.append(next)
            unsettled.insert(next)
            next += 1
            guard held.count > 50 else { continue }
            let tag = held.remove(at: draw(held.count))
            if draw(20) == 0 {
                #expect(ledger.reject(tag, requeue: false))
                rejected += 1
            } else {
                #expect(ledger.acknowledge(tag))
            }
            guard draw(8) == 0 else { continue }
            for frame in ledger.flush() {
                switch frame {
                case .reject(let tag, _): #expect(unsettled.remove(tag) != nil)
                case .ack(let tag, false): #expect(unsettled.remove(tag) != nil)
                case .ack(let tag, true):
                    #expect(unsettled.contains(tag), "the broker refuses a multiple ack up to an unknown tag")
                    let swallowed = unsettled.filter { $0 <= tag }
                    #expect(swallowed.isDisjoint(with: held))
                    unsettled.subtract(swallowed)
                }
            }
        }
        for frame in ledger.flush() {
            switch frame {
            case .reject(let tag, _), .ack(let tag, false): unsettled.remove(tag)
            case .ack(let tag, true): unsettled = unsettled.filter { $0 > tag }
            }
        }
        #expect(unsettled == Set(held))
        #expect(rejected > 0)
    }
}
