// Limits by key, on running tasks, and across hosts: which tasks wait for one, which has asked for it, which hold a
// permit.
//
// A permit is acquired before its task is ready and released when its outcome is known. Permits shared with other hosts
// are leased: they return by themselves when a host dies.
import CeleryWire
import Ports
import TaskModel

/// One invariant over all of it: a task is at the head of its queue when it asks, holds at most one permit, and is
/// counted for the credit of its queue only while it waits.
struct LimitQueues {
    /// Of a shared permit, in seconds.
    static let leaseSeconds = 20.0
    /// Messages that wait for limits beyond a queue's credit at most, and the step in which that grows and shrinks: a
    /// change of credit costs a frame.
    private static let maxExtra = 256
    private static let extraStep = 32

    /// Tasks that wait for the same limit, in the order of their arrival.
    private struct Queue {
        var waiting: [InFlight] = []
        /// The request under way, and since when.
        var asking: (claim: PermitRequest, since: Instant)?
        /// Asked in vain; until a timer or a release.
        var isPausing = false
    }

    /// Asked for, or held.
    private struct Permit {
        var claim: PermitRequest
        var isShared: Bool
        /// Until when it is leased; nil: it is not shared, or not granted yet.
        var leaseUntil: Instant?
    }

    private var queues: [String: Queue] = [:]
    /// Requests for shared permits under way.
    private(set) var asked = 0
    /// Queues whose head asks for a shared permit when there is a slot for it, in the order in which they wanted to.
    private var unasked: [String] = []
    private var local = LocalLimiter()
    private var permits: [InFlightID: Permit] = [:]
    private var leases = 0
    /// Tasks that wait (for a limit, or as suspects), by their queue at the broker; the same counted; and the credit
    /// granted for them.
    private var counted: [InFlightID: String] = [:]
    private var waiting: [String: Int] = [:]
    private var extra: [String: Int] = [:]

    /// Nothing waits and no permit is held.
    var isEmpty: Bool { queues.isEmpty && permits.isEmpty && counted.isEmpty }

    // ---- the queue of a limit ----

    mutating func append(_ item: InFlight, to name: String) { queues[name, default: Queue()].waiting.append(item) }

    /// The one at the head, if it may ask now; those that do not wait any more are passed over.
    mutating func head(of name: String) -> InFlight? {
        while let queue = queues[name], queue.asking == nil, !queue.isPausing {
            guard let item = queue.waiting.first else {
                queues[name] = nil
                return nil
            }
            if item.isLimited { return item }
            queues[name]?.waiting.removeFirst()
        }
        return nil
    }

    /// Not before `resume`.
    mutating func pause(_ name: String) { queues[name]?.isPausing = true }

    mutating func resume(_ name: String) { queues[name]?.isPausing = false }

    /// Queues in which tasks of this name wait; their rate is another one from now on.
    mutating func setRate(_ perSecond: Double?, task name: String) -> [String] {
        queues.keys.sorted().filter { queue in
            let concerned = queues[queue]?.waiting.filter { $0.message.name == name } ?? []
            for item in concerned { item.policy.rate = perSecond }
            return !concerned.isEmpty
        }
    }

    /// Nothing starts any more.
    /// - Returns: the limits that were waited for.
    mutating func removeQueues() -> [String] {
        defer { (queues, asked, unasked) = ([:], 0, []) }
        return Array(queues.keys)
    }

    // ---- permits ----

    /// What the task asks for. Its holder stays the same while it waits: its turn among other hosts is kept, and a
    /// permit that was granted without the answer reaching us is not lost.
    func claim(_ name: String, for item: InFlight, makeID: () -> String) -> PermitRequest {
        PermitRequest(
            name: name, holder: permits[item.id]?.claim.holder ?? makeID(), perSecond: item.policy.rate,
            max: item.policy.maxConcurrent)
    }

    mutating func askShared(_ claim: PermitRequest, for item: InFlight, at now: Instant) {
        permits[item.id] = Permit(claim: claim, isShared: true)
        queues[claim.name]?.asking = (claim, now)
        asked += 1
    }

    /// The head of this queue does not ask yet.
    mutating func awaitSlot(_ name: String) {
        if !unasked.contains(name) { unasked.append(name) }
    }

    /// A queue waits for a slot. Looked at after every event.
    var awaitsSlot: Bool { !unasked.isEmpty }

    /// There is a slot for one more. nil: none waits for it.
    mutating func nextForSlot() -> String? { unasked.isEmpty ? nil : unasked.removeFirst() }

    mutating func askLocal(_ claim: PermitRequest, at now: Instant) -> LimitAnswer { local.acquire(claim, at: now) }

    /// The request under way is answered.
    /// - Returns: when it was sent; nil: it is not the one under way.
    mutating func answered(_ claim: PermitRequest) -> Instant? {
        guard let asking = queues[claim.name]?.asking, asking.claim == claim else { return nil }
        queues[claim.name]?.asking = nil
        asked -= 1
        return asking.since
    }

    func hasClaimed(_ claim: PermitRequest, _ id: InFlightID) -> Bool { permits[id]?.claim == claim }

    func hasPermit(_ id: InFlightID) -> Bool { permits[id] != nil }

    /// The head of the queue may start. A limit of rate alone leaves nothing to be released.
    /// - Returns: whether it is the only lease now: leases have to be renewed from here on.
    mutating func grant(_ claim: PermitRequest, to item: InFlight, leaseUntil: Instant?) -> Bool {
        queues[claim.name]?.waiting.removeFirst()
        stopCounting(item.id)
        guard claim.max != nil else {
            permits[item.id] = nil
            return false
        }
        permits[item.id] = Permit(claim: claim, isShared: leaseUntil != nil, leaseUntil: leaseUntil)
        guard leaseUntil != nil else { return false }
        leases += 1
        return leases == 1
    }

    /// What it held or asked for is given up.
    /// - Returns: a permit of other hosts' to be released there, and the queue to be served again.
    mutating func release(_ id: InFlightID) -> (shared: PermitRequest?, waiting: String?) {
        stopCounting(id)
        guard !permits.isEmpty, let permit = permits.removeValue(forKey: id) else { return (nil, nil) }
        if permit.leaseUntil != nil { leases -= 1 }
        guard permit.claim.max != nil else { return (nil, nil) }
        if !permit.isShared { local.release(permit.claim) }
        let waits = queues[permit.claim.name]?.isPausing ?? false
        return (permit.isShared ? permit.claim : nil, waits ? permit.claim.name : nil)
    }

    /// nil: it holds none that ends.
    func leaseEnd(_ id: InFlightID) -> Instant? { leases == 0 ? nil : permits[id]?.leaseUntil }

    /// All leases, in a fixed order.
    var leased: [PermitRequest] {
        permits.values.filter { $0.leaseUntil != nil }.map(\.claim).sorted { $0.holder < $1.holder }
    }

    /// The leases there were then hold for their time from then on; one granted since is leased for longer already.
    mutating func renewed(since: Instant) {
        let until = since.advanced(bySeconds: Self.leaseSeconds)
        for (id, permit) in permits {
            if let present = permit.leaseUntil { permits[id]?.leaseUntil = max(present, until) }
        }
    }

    // ---- credit ----

    /// Tasks that wait for a limit must not use up the credit of those behind them that need not wait.
    /// - Returns: whether the credit of the queue grows.
    mutating func startCounting(_ id: InFlightID, of queue: String) -> Bool {
        guard counted.updateValue(queue, forKey: id) == nil else { return false }
        waiting[queue, default: 0] += 1
        let present = extra[queue] ?? 0
        guard waiting[queue] ?? 0 > present, present < Self.maxExtra else { return false }
        extra[queue] = present + Self.extraStep
        return true
    }

    mutating func stopCounting(_ id: InFlightID) {
        guard !counted.isEmpty, let queue = counted.removeValue(forKey: id) else { return }
        let left = (waiting[queue] ?? 1) - 1
        waiting[queue] = left > 0 ? left : nil
    }

    /// To be called every so often.
    /// - Returns: queues whose credit shrinks.
    mutating func shrinkExtraCredit() -> [String] {
        var changed: [String] = []
        for (queue, present) in extra {
            let steps = ((waiting[queue] ?? 0) + Self.extraStep - 1) / Self.extraStep
            guard steps * Self.extraStep < present else { continue }
            extra[queue] = steps == 0 ? nil : steps * Self.extraStep
            changed.append(queue)
        }
        return changed
    }

    /// Messages of this queue wanted for those that wait.
    func extraCredit(_ queue: String) -> Int { extra[queue] ?? 0 }
}
