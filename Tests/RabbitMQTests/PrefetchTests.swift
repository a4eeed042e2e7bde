// When a prefetch is told anew, and when too much is held: rules without a server.
import Ports
import TaskModel
import Testing

@testable import RabbitMQ

@Suite("Prefetch")
struct PrefetchTests {
    private func time(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9) + 1) }

    @Test("of a channel it follows what is wanted, up and down")
    func channel() {
        let prefetch = Prefetch()
        prefetch.sent(4)
        #expect(prefetch.next(9, true, time(0)) == .send(9))
        #expect(prefetch.next(2, true, time(0)) == .send(2))
        #expect(prefetch.next(4, true, time(0)) == .keep)
    }

    @Test("of a consumer it is raised at once, and lowered when a burst has been over for a while")
    func consumer() {
        let prefetch = Prefetch()
        prefetch.sent(127)
        #expect(prefetch.next(128, false, time(0)) == .renew)
        #expect(prefetch.next(40, false, time(0)) == .keep, "not much less")
        #expect(prefetch.next(2, false, time(1)) == .keep)
        #expect(prefetch.isWatching)
        #expect(prefetch.next(60, false, time(1.5)) == .keep)
        #expect(prefetch.next(2, false, time(2)) == .keep, "it has begun anew")
        #expect(prefetch.next(2, false, time(3.1)) == .renew)
        prefetch.sent(2)
        #expect(prefetch.next(2, false, time(9)) == .keep)
        #expect(!prefetch.isWatching)
    }

    @Test("too much is held only when no more can come, and is told again as long as it lasts")
    func surplus() {
        let prefetch = Prefetch()
        prefetch.sent(127)
        #expect(!prefetch.surplus(50, 2, time(0)))
        #expect(!prefetch.surplus(50, 2, time(2)), "what goes back would come again")
        prefetch.sent(2)
        #expect(prefetch.surplus(50, 2, time(2.1)))
        #expect(!prefetch.surplus(50, 2, time(2.2)))
        #expect(prefetch.surplus(50, 2, time(3.2)))
        #expect(!prefetch.surplus(7, 2, time(9)))
    }

    @Test("refused connections are tried again within a second, however long nobody answers; others ever less often")
    func backoff() {
        var backoff = LinkBackoff(RabbitMQOptions())
        let refused = BrokerFailure(.unreachable, "cannot connect", fix: BrokerFailure.unansweredFix)
        let waits = (0..<20).map { _ in backoff.next(after: refused) }
        #expect(waits.allSatisfy { $0 <= 0.7 }, "\(waits)")
        let refusal = BrokerFailure(.closed, "refused with words")
        #expect(backoff.next(after: refusal) <= 0.2, "the first answer since the broker was away")
        for _ in 0..<10 { _ = backoff.next(after: refusal) }
        #expect(backoff.next(after: refusal) >= 15)
    }

    @Test("a message is sent anew well before a quorum queue drops it, unless its user wants it elsewhere")
    func returns() {
        func most(_ limit: Int?, exchange: Bool = false, kind: QueueDeclaration.Kind = .quorum) -> Int? {
            QueueSight(kind: kind, existed: true, deliveryLimit: limit, hasDeadLetterExchange: exchange).maxReturns
        }
        #expect(most(nil) == 10)
        #expect(most(nil, exchange: true) == 10, "the limit is the broker's")
        #expect(most(50) == 10)
        #expect(most(6) == 3)
        #expect(most(1) == 1)
        #expect(most(6, exchange: true) == nil)
        #expect(most(-1, exchange: true) == 10, "no limit at all: a policy may set one")
        #expect(most(nil, kind: .classic) == nil)
    }

    @Test("what a user may not do is named with the command that allows it")
    func rights() {
        let fix = BrokerFailure.server(
            code: 403,
            text: "ACCESS_REFUSED - configure access to queue 'a.celery.pidbox' in vhost 'shop' refused for user 'eve'",
            "queue"
        ).fix
        #expect(fix?.contains("right to configure 'a.celery.pidbox'") ?? false, "\(fix ?? "")")
        #expect(fix?.contains("rabbitmqctl set_permissions -p 'shop' 'eve'") ?? false)
    }
}

/// A class, because `#expect` calls no mutating functions of values.
private final class Prefetch {
    private var value = ConsumerPrefetch()

    var isWatching: Bool { value.isWatching }
    func sent(_ count: Int) { value.sent(count) }
    func next(_ wanted: Int, _ isAdjustable: Bool, _ now: Instant) -> ConsumerPrefetch.Step {
        value.step(wanted: wanted, isAdjustable: isAdjustable, at: now)
    }
    func surplus(_ held: Int, _ wanted: Int, _ now: Instant) -> Bool {
        value.holdsTooMuch(held, wanted: wanted, at: now)
    }
}
