// The consumer of systems that deliver nothing by themselves and are asked for messages: how many are wanted, asked for
// and in flight, and what of them is to be settled. Synchronous and without I/O; the adapter fetches and settles.
public import TaskModel

/// A queue that gave less than it was asked for is *exhausted*: it is not asked again until something says that there
/// may be more (`mayHaveMore`).
///
/// A turn of the loop is: `takeSettlements`, then `nextFetch`; when the answer comes `answered` or `failed`, and `hold`
/// for each message of it.
public struct PullConsumer {
    public struct Queue {
        public let name: String
        /// How many messages may be in flight.
        public fileprivate(set) var credit = 0
        public fileprivate(set) var inFlight = 0
        /// Asked for, not answered yet.
        public fileprivate(set) var requested = 0
        public fileprivate(set) var isExhausted = false
        public var room: Int { max(0, credit - inFlight - requested) }
    }

    private struct Held {
        var queue: Int
        var handle: Int64
    }

    public private(set) var queues: [Queue] = []
    public private(set) var isConsuming = false
    /// Part of each tag; what is held belongs to it and is gone with it.
    public private(set) var link: UInt32 = 1
    private var held: [UInt64: Held] = [:]
    /// Of what is held.
    private var started: Set<Int64> = []
    private var settlements = Settlements()
    private var nextNumber: UInt64 = 1
    private var firstQueue = 0
    /// Fetches, and whatever else may still bring messages, that are not answered yet.
    private var fetchesUnderWay = 0
    private var whenStopped: [() -> Void] = []

    public init() {}

    public var isHolding: Bool { !held.isEmpty }

    /// Something waits for `takeSettlements`.
    public var owesSettlements: Bool { !settlements.isEmpty }

    /// Little is owed and much is in hand: a question of now would be a small one, and may wait for more.
    /// - Parameter most: so much owed is enough.
    public func mayGather(upTo most: Int) -> Bool {
        guard isConsuming, settlements.requeued.isEmpty else { return false }
        let credit = queues.reduce(0) { $0 + $1.credit }
        return credit >= 2 * most && settlements.acknowledged.count < most
            && queues.allSatisfy { $0.isExhausted || $0.inFlight * 2 >= $0.credit }
    }

    /// Of all that is held, in no order.
    public var heldHandles: [Int64] { held.values.map(\.handle) }

    // ---- what is wanted ----

    /// Queues that are new are added, without credit.
    public mutating func consume(_ names: [String]) {
        for name in names where index(of: name) == nil { queues.append(Queue(name: name)) }
        isConsuming = true
    }

    public mutating func setCredit(_ credit: Int, queue: String) {
        if let index = index(of: queue) { queues[index].credit = credit }
    }

    /// - Parameter queue: nil: all of them.
    public mutating func mayHaveMore(_ queue: String? = nil) {
        for index in queues.indices where queue == nil || queues[index].name == queue {
            queues[index].isExhausted = false
        }
    }

    public func index(of queue: String) -> Int? { queues.firstIndex { $0.name == queue } }

    /// nil: nothing is wanted now. The queues take turns at being the first.
    /// - Parameter limit: for each queue.
    public mutating func nextFetch(limit: Int = .max) -> FetchBatch? {
        guard isConsuming, queues.contains(where: { !$0.isExhausted && $0.room > 0 }) else { return nil }
        let first = nextNumber
        var requests: [FetchRequest] = []
        for turn in queues.indices {
            let index = (firstQueue + turn) % queues.count
            let wanted = min(queues[index].room, limit)
            guard !queues[index].isExhausted, wanted > 0 else { continue }
            queues[index].requested += wanted
            nextNumber += UInt64(wanted)
            requests.append(FetchRequest(queue: index, limit: wanted))
        }
        firstQueue = (firstQueue + 1) % queues.count
        fetchesUnderWay += 1
        return FetchBatch(requests: requests, numbers: first..<nextNumber, link: link)
    }

    // ---- what comes ----

    /// What the batch was asked for is no longer on its way; queues that gave less are exhausted. Its messages follow
    /// with `hold`, then `stopped`.
    public mutating func answered(_ batch: FetchBatch) {
        close(batch) { $0.received < $0.limit && !$0.isCut }
    }

    /// Nothing came, and nothing will: another look is needed before these queues are asked again.
    public mutating func failed(_ batch: FetchBatch) {
        close(batch) { _ in true }
    }

    private mutating func close(_ batch: FetchBatch, isExhausted: (FetchRequest) -> Bool) {
        fetchesUnderWay -= 1
        for request in batch.requests {
            queues[request.queue].requested -= request.limit
            // After a loss all queues are looked at again, whatever those before it said.
            if batch.link == link, isExhausted(request) { queues[request.queue].isExhausted = true }
        }
    }

    /// - Parameters:
    ///   - handle: what the adapter calls the message when it is settled; one message's only.
    ///   - number: of the batch's numbers, one for each message.
    /// - Returns: nil: nothing is consumed any more, and it is among the settlements that are requeued.
    public mutating func hold(_ handle: Int64, number: UInt64, queue: Int) -> DeliveryTag? {
        guard isConsuming else {
            settlements.requeued.append(handle)
            return nil
        }
        held[number] = Held(queue: queue, handle: handle)
        queues[queue].inFlight += 1
        return DeliveryTag(link: link, number: number)
    }

    public func isHeld(number: UInt64) -> Bool { held[number] != nil }

    // ---- what is done with it ----

    /// To be settled with the next `takeSettlements`. Tags of an earlier link are ignored.
    public mutating func settle(_ tag: DeliveryTag, requeue: Bool) {
        guard tag.link == link, let item = held.removeValue(forKey: tag.number) else { return }
        queues[item.queue].inFlight -= 1
        if !started.isEmpty { started.remove(item.handle) }
        if requeue {
            settlements.requeued.append(item.handle)
            // What goes back may be wanted again at once.
            queues[item.queue].isExhausted = false
        } else {
            settlements.acknowledged.append(item.handle)
        }
    }

    /// nil: no longer ours.
    public func handle(of tag: DeliveryTag) -> Int64? { tag.link == link ? held[tag.number]?.handle : nil }

    /// These start now.
    /// - Returns: the handles of all that have started and are held; nil: none of these is ours.
    public mutating func start(_ tags: [DeliveryTag]) -> Set<Int64>? {
        let handles = tags.compactMap(handle)
        guard !handles.isEmpty else { return nil }
        started.formUnion(handles)
        return started
    }

    /// nil: there is nothing to settle.
    public mutating func takeSettlements() -> Settlements? {
        guard !settlements.isEmpty else { return nil }
        defer { settlements = Settlements() }
        return settlements
    }

    // ---- the ends ----

    /// All that is held is others' from now on; tags and settlements of before are ignored. What is under way may
    /// still be answered.
    public mutating func lose() {
        link += 1
        held.removeAll()
        started.removeAll()
        settlements = Settlements()
        for index in queues.indices { queues[index].inFlight = 0 }
        mayHaveMore()
    }

    /// Nothing is fetched any more. `done` comes with `stopped`; what is settled until then, and later, still is.
    public mutating func stop(done: @escaping () -> Void) {
        isConsuming = false
        whenStopped.append(done)
    }

    /// What is to be called, each once: no message will follow.
    public mutating func stopped() -> [() -> Void] {
        guard !isConsuming, fetchesUnderWay == 0, !whenStopped.isEmpty else { return [] }
        defer { whenStopped = [] }
        return whenStopped
    }

    /// Something beside a fetch is under way that may bring messages, as a search for those of a lost answer.
    public mutating func searchBegins() { fetchesUnderWay += 1 }

    public mutating func searchEnds() { fetchesUnderWay -= 1 }

    /// All that is held goes back, oldest first; the last thing a consumer does.
    public mutating func requeueAll() {
        settlements.requeued += held.sorted { $0.key < $1.key }.map(\.value.handle)
        held.removeAll()
        started.removeAll()
        for index in queues.indices { queues[index].inFlight = 0 }
    }
}
