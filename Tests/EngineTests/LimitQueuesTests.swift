// The book of limits by itself: who is at the head, who holds a permit, whose waiting is counted.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Queues of limits")
struct LimitQueuesTests {
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func waiting(_ id: UInt64, _ limits: inout LimitQueues, most: Int? = 1) -> InFlight {
        let item = InFlight.sample(id)
        item.policy.maxConcurrent = most
        item.phase = .limited
        limits.append(item, to: "limit")
        return item
    }

    @Test("a permit goes to the head of the queue, and the next one waits until it is released")
    func oneAtATime() throws {
        var limits = LimitQueues()
        let (first, second) = (waiting(1, &limits), waiting(2, &limits))
        #expect(limits.head(of: "limit") === first)
        let claim = limits.claim("limit", for: first) { "a" }
        #expect(limits.askLocal(claim, at: now) == .granted)
        #expect(limits.grant(claim, to: first, leaseUntil: nil) == false)
        #expect(limits.head(of: "limit") === second)
        #expect(limits.askLocal(limits.claim("limit", for: second) { "b" }, at: now) == .full)
        limits.pause("limit")
        #expect(limits.head(of: "limit") == nil)
        let (shared, queue) = limits.release(first.id)
        #expect(shared == nil && queue == "limit", "its own permit; the queue is to be served again")
        limits.resume("limit")
        #expect(limits.askLocal(limits.claim("limit", for: second) { "b" }, at: now) == .granted)
    }

    @Test("those that do not wait any more are passed over, and an empty queue is forgotten")
    func passedOver() {
        var limits = LimitQueues()
        let (first, second) = (waiting(1, &limits), waiting(2, &limits))
        first.phase = .over
        #expect(limits.head(of: "limit") === second)
        second.phase = .over
        #expect(limits.head(of: "limit") == nil && limits.isEmpty)
    }

    @Test("a task keeps its holder while it asks, and only the answer to the request under way counts")
    func holder() {
        var limits = LimitQueues()
        let item = waiting(1, &limits)
        let claim = limits.claim("limit", for: item) { "a" }
        limits.askShared(claim, for: item, at: now)
        #expect(limits.head(of: "limit") == nil, "its request is under way")
        #expect(limits.answered(claim) == now && limits.answered(claim) == nil)
        #expect(limits.claim("limit", for: item) { "other" }.holder == "a")
    }

    @Test("leases are renewed from the first one on, never shortened, and end with their release")
    func leases() throws {
        var limits = LimitQueues()
        let (first, second) = (waiting(1, &limits, most: 2), waiting(2, &limits, most: 2))
        for (item, isOnly) in [(first, true), (second, false)] {
            let claim = limits.claim("limit", for: item) { "\(item.id.number)" }
            limits.askShared(claim, for: item, at: now)
            _ = limits.answered(claim)
            #expect(limits.grant(claim, to: item, leaseUntil: now.advanced(bySeconds: 30)) == isOnly)
        }
        limits.renewed(since: now)
        #expect(limits.leaseEnd(first.id) == now.advanced(bySeconds: 30))
        limits.renewed(since: now.advanced(bySeconds: 20))
        #expect(limits.leaseEnd(first.id) == now.advanced(bySeconds: 20 + LimitQueues.leaseSeconds))
        #expect(limits.release(first.id).shared?.holder == "1" && limits.leased.map(\.holder) == ["2"])
        #expect(limits.release(second.id).shared?.holder == "2" && limits.leased.isEmpty)
        #expect(limits.head(of: "limit") == nil && limits.isEmpty)
    }

    @Test("credit for those that wait grows at once and shrinks when it is looked at")
    func credit() {
        var limits = LimitQueues()
        #expect(limits.startCounting(InFlightID(number: 1), of: "q") && limits.extraCredit("q") == 32)
        #expect(limits.startCounting(InFlightID(number: 1), of: "q") == false, "it is counted once")
        for number in 2...32 as ClosedRange<UInt64> {
            #expect(limits.startCounting(InFlightID(number: number), of: "q") == false)
        }
        #expect(limits.startCounting(InFlightID(number: 33), of: "q") && limits.extraCredit("q") == 64)
        limits.stopCounting(InFlightID(number: 33))
        #expect(limits.extraCredit("q") == 64 && limits.shrinkExtraCredit() == ["q"] && limits.extraCredit("q") == 32)
        for number in 1...32 as ClosedRange<UInt64> { limits.stopCounting(InFlightID(number: number)) }
        #expect(limits.shrinkExtraCredit() == ["q"] && limits.extraCredit("q") == 0 && limits.isEmpty)
    }
}

extension InFlight {
    /// A message of task `t` in queue `q`.
    static func sample(_ number: UInt64) -> InFlight {
        let message = WireMessage(properties: MessageProperties(), headers: [:], body: Array("[[],{},{}]".utf8))
        return InFlight(
            id: InFlightID(number: number),
            delivery: Delivery(
                tag: DeliveryTag(link: 1, number: number), queue: "q", exchange: "", routingKey: "q",
                redelivered: false, message: message),
            message: TaskMessage(id: "id-\(number)", name: "t"),
            policy: TaskPolicy(manifest: TaskOptions(), override: nil, defaults: TaskOptions()))
    }
}
