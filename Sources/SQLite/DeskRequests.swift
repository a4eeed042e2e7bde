// What the delivery desk asks of the file's thread, as values and statements.
import GRDB
import TaskModel

/// One trip to the file: settle what is owed, then take what there is room for.
struct DeskTrip: Sendable {
    struct Settlement: Sendable {
        enum Action: Sendable { case remove, requeue }
        var row: Int64
        var action: Action
    }

    struct Wish: Sendable {
        var queue: String
        var limit: Int
    }

    struct Catch: Sendable {
        var row: Int64
        var queue: String
        var redelivered: Bool
        var message: WireMessage
    }

    struct Outcome: Sendable {
        var host: Int64?
        /// Others took over what this host held.
        var isLost = false
        var leaseUntil = WallTime(microseconds: 0)
        var caught: [Catch] = []
    }

    /// nil: not registered yet.
    var host: Int64?
    var leaseUntil: WallTime
    var settlements: [Settlement] = []
    var wishes: [Wish] = []
    var identity: HostIdentity
    var times: LeaseTimes

    func run(in db: Database) throws -> Outcome {
        var outcome = Outcome(host: host, leaseUntil: leaseUntil)
        if let host {
            for settlement in settlements {
                let isOurs =
                    switch settlement.action {
                    case .remove: try MessageRows.remove(settlement.row, heldBy: host, in: db)
                    case .requeue: try MessageRows.requeue(settlement.row, heldBy: host, in: db)
                    }
                if !isOurs { outcome.isLost = true }
            }
        }
        guard !wishes.isEmpty, !outcome.isLost else { return outcome }
        let now = wallTime()
        guard let owner = try standing(now, &outcome, in: db) else { return outcome }
        for wish in wishes {
            for row in try MessageRows.take(wish.limit, from: wish.queue, host: owner, in: db) {
                outcome.caught.append(
                    Catch(row: row.id, queue: row.queue, redelivered: row.deliveries > 0, message: row.message()))
            }
        }
        return outcome
    }

    /// Makes sure that what we are about to take is ours for a while; nil: we have lost our place.
    private func standing(_ now: WallTime, _ outcome: inout Outcome, in db: Database) throws -> Int64? {
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

/// A look at what there is, without taking it.
struct DeskLook: Sendable {
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
                seenBy: observer, except: own, now: wallTime(), allowance: allowance, in: db)
        }
        return outcome
    }
}
