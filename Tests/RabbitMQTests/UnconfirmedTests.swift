// What becomes of unconfirmed publications when the connection is lost.
import Testing

@testable import RabbitMQ

@Suite("Unconfirmed publications")
struct UnconfirmedTests {
    private func unconfirmed(_ items: [Pending<String>]) -> Unconfirmed<String> {
        var all = Unconfirmed<String>()
        for item in items { all.append(item) }
        return all
    }

    @Test("one that is alone on the wire each time the broker closes by an error is given up the third time")
    func alone() {
        var item = Pending(id: 7, payload: "poison", size: 1)
        for _ in 0..<2 {
            var wire = unconfirmed([item])
            let left = wire.abandon(byBrokersError: true)
            #expect(left.givenUp == nil && left.again.count == 1)
            item = left.again[0]
        }
        var wire = unconfirmed([item])
        let left = wire.abandon(byBrokersError: true)
        #expect(left.givenUp?.id == 7 && left.again.isEmpty && wire.count == 0)
    }

    @Test("lost links and company are held against nobody")
    func innocent() {
        var items = [Pending(id: 1, payload: "a", size: 1), Pending(id: 2, payload: "b", size: 1)]
        for round in 0..<10 {
            var wire = unconfirmed(round % 2 == 0 ? items : [items[0]])
            let left = wire.abandon(byBrokersError: round % 2 == 0)
            #expect(left.givenUp == nil && left.again.count == (round % 2 == 0 ? 2 : 1))
            items[0] = left.again[0]
        }
    }
}
