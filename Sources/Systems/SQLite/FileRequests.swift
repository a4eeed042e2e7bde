// What the consumer asks of the file's thread, as values and statements.
import PullConsumer
import TaskModel

/// One transaction: settle what is owed, then take what there is room for.
struct FetchTransaction: Sendable {
    struct Wanted: Sendable {
        var queue: String
        var limit: Int
    }

    struct Outcome: Sendable {
        var host: Int64?
        /// Others took over what this host held.
        var isLost = false
        var leaseUntil = BootTime(microseconds: 0)
        /// By what was wanted; still encoded, until `decode`.
        fileprivate var taken: [[StoredMessage]] = []
        /// By what was wanted.
        private(set) var fetched: [[FetchedMessage]] = []

        mutating func decode() {
            fetched = taken.map { $0.map(FetchedMessage.init) }
            taken = []
        }
    }

    /// nil: not registered yet.
    var host: Int64?
    var leaseUntil: BootTime
    /// By row.
    var settlements: Settlements?
    /// All that has started of what is held; nil: as before.
    var started: [Int64]?
    var wanted: [Wanted]
    var identity: HostIdentity
    var times: LeaseTimes

    func run(in db: Database) throws -> Outcome {
        var outcome = Outcome(host: host, leaseUntil: leaseUntil)
        if let host {
            // First, so that no settlement of them is before it.
            if let started { try HostRows.note(started: started, of: host, in: db) }
        }
        if let host, let settlements {
            if try !MessageRows.remove(settlements.acknowledged, heldBy: host, in: db) { outcome.isLost = true }
            for row in settlements.requeued where try !MessageRows.requeue(row, heldBy: host, in: db) {
                outcome.isLost = true
            }
        }
        guard !wanted.isEmpty, !outcome.isLost else { return outcome }
        guard let owner = try standing(.now, &outcome, in: db) else { return outcome }
        outcome.taken = try wanted.map { try MessageRows.take($0.limit, from: $0.queue, host: owner, in: db) }
        return outcome
    }

    /// Makes sure that what we are about to take is ours for a while; nil: our lease is lost.
    private func standing(_ now: BootTime, _ outcome: inout Outcome, in db: Database) throws -> Int64? {
        let until = now.advanced(bySeconds: times.lease)
        guard let host else {
            outcome.host = try HostRows.register(identity, until: until, in: db)
            outcome.leaseUntil = until
            return outcome.host
        }
        let isStillOurs: Bool
        if leaseUntil < now.advanced(bySeconds: times.lease - times.renewal) {
            isStillOurs = try HostRows.renew(host, until: until, in: db)
            outcome.leaseUntil = until
        } else {
            isStillOurs = try HostRows.exists(host, in: db)
        }
        outcome.isLost = !isStillOurs
        return isStillOurs ? host : nil
    }
}

/// A message as it was taken from the file.
struct FetchedMessage: Sendable {
    var row: Int64
    var redelivered: Bool
    var lostStarts: Int
    var message: WireMessage

    init(_ row: StoredMessage) {
        self.row = row.id
        redelivered = row.deliveries > 0
        lostStarts = row.lostStarts
        message = row.message()
    }

    func delivery(_ tag: DeliveryTag, queue: String) -> Delivery {
        Delivery(
            tag: tag, queue: queue, exchange: "", routingKey: queue, redelivered: redelivered, lostStarts: lostStarts,
            message: message)
    }
}

/// That a host holds a message, as it stood when it was asked for.
struct HeldMessage: Sendable {
    var row: Int64
    var host: Int64

    func holds(in db: Database) throws -> Bool { try MessageRows.isHeld(row, by: host, in: db) }
}

/// What there is, without taking it.
struct QueuePoll: Sendable {
    struct Outcome: Sendable {
        var ready: [String] = []
        var nextDue: WallTime?
        var lostHosts: [Int64] = []
    }

    var queues: [String]
    /// Also for hosts that are gone; nil: not now.
    var observer: HostIdentity?
    var own: Int64?
    var allowance: Double

    func run(in db: Database) throws -> Outcome {
        var outcome = Outcome()
        for queue in queues where try MessageRows.hasReady(queue, in: db) { outcome.ready.append(queue) }
        outcome.nextDue = try MessageRows.nextDue(in: db).map(WallTime.init(microseconds:))
        if let observer {
            outcome.lostHosts = try HostRows.lost(
                seenBy: observer, except: own, now: .now, allowance: allowance, in: db)
        }
        return outcome
    }
}
