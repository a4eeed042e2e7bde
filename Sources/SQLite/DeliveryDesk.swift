// The consuming half of the embedded broker: credit, what is held, and when to go to the file.
import Foundation
import Ports
import TaskModel

/// Belongs to the loop's thread. It knows what is held and how much more is wanted; the file knows the rest.
///
/// A queue that gave less than was asked for is *dry*: it is not asked again until a look (`DeskLook`) finds
/// something. Looks come after each touch of the wake file, when a delayed message is due, and once a second.
final class DeliveryDesk {
    enum News {
        case delivered(Delivery)
        /// Everything held is unknown from now on.
        case linkLost(String)
    }

    struct Lane {
        let queue: String
        var credit = 0
        var held = 0
        /// Asked for, not answered yet.
        var asked = 0
        var isDry = false
        var room: Int { max(0, credit - held - asked) }
    }

    private struct Held {
        var row: Int64
        var lane: Int
    }

    let file: SQLiteFile
    let times: LeaseTimes
    let identity: HostIdentity
    private let tell: (News) -> Void

    var lanes: [Lane] = []
    private var held: [UInt64: Held] = [:]
    private var settlements: [DeskTrip.Settlement] = []
    var host: Int64?
    private var isRegistering = false
    private var leaseUntil = WallTime(microseconds: 0)
    private var link: UInt32 = 1
    private var lastTag: UInt64 = 0
    private var tripsOut = 0

    private(set) var isUp = false
    private(set) var isConsuming = false
    private var whenStopped: [() -> Void] = []

    // The looking half is in DeliveryDesk+Look.swift.
    var isLooking = false
    var looksAgain = false
    var looksThoroughly = false
    var pollTimer: (any LoopTimer)?
    var dueTimer: (any LoopTimer)?
    private var renewalTimer: (any LoopTimer)?

    init(file: SQLiteFile, times: LeaseTimes, identity: HostIdentity, tell: @escaping (News) -> Void) {
        self.file = file
        self.times = times
        self.identity = identity
        self.tell = tell
    }

    func start() {
        isUp = true
        poll()
    }

    func consume(_ queues: [String]) {
        for queue in queues where !lanes.contains(where: { $0.queue == queue }) {
            lanes.append(Lane(queue: queue))
        }
        isConsuming = true
        poll()
    }

    func setCredit(_ credit: Int, queue: String) {
        guard let index = lanes.firstIndex(where: { $0.queue == queue }) else { return }
        lanes[index].credit = credit
    }

    func settle(_ tag: DeliveryTag, _ action: DeskTrip.Settlement.Action) {
        guard tag.link == link, let item = held.removeValue(forKey: tag.number) else { return }
        lanes[item.lane].held -= 1
        settlements.append(DeskTrip.Settlement(row: item.row, action: action))
        // What goes back may be wanted again at once.
        if action == .requeue { lanes[item.lane].isDry = false }
    }

    func stop(done: @escaping () -> Void) {
        isConsuming = false
        pollTimer?.cancel()
        dueTimer?.cancel()
        whenStopped.append(done)
        turnEnd()
        finishStopping()
    }

    /// All that is held goes back; the last thing a desk does.
    func giveBack() {
        turnEnd()
        renewalTimer?.cancel()
        isUp = false
        held.removeAll()
        guard let host else { return }
        file.submit(.announcedWrite) { db in
            _ = try MessageRows.requeueAll(heldBy: host, in: db)
            try HostRows.remove(host, in: db)
        } done: { _ in
            // If it failed, the lease runs out, or our death is noticed: the messages come back either way.
        }
    }

    /// Goes to the file if there is a reason.
    func turnEnd() {
        guard isUp, !isRegistering else { return }
        var wishes: [DeskTrip.Wish] = []
        if isConsuming {
            for index in lanes.indices where !lanes[index].isDry && lanes[index].room > 0 {
                wishes.append(DeskTrip.Wish(queue: lanes[index].queue, limit: lanes[index].room))
                lanes[index].asked += lanes[index].room
            }
        }
        guard !wishes.isEmpty || !settlements.isEmpty else { return }
        let trip = DeskTrip(
            host: host, leaseUntil: leaseUntil, settlements: settlements, wishes: wishes, identity: identity,
            times: times)
        settlements = []
        isRegistering = host == nil
        tripsOut += 1
        let isNoteworthy = trip.settlements.contains { $0.action == .requeue }
        file.submit(isNoteworthy ? .announcedWrite : .write) { db in
            try trip.run(in: db)
        } done: { [weak self] result in
            self?.returned(trip, result)
        }
    }

    private func returned(_ trip: DeskTrip, _ result: Result<DeskTrip.Outcome, SQLiteFailure>) {
        tripsOut -= 1
        if trip.host == nil { isRegistering = false }
        for wish in trip.wishes {
            if let index = lanes.firstIndex(where: { $0.queue == wish.queue }) { lanes[index].asked -= wish.limit }
        }
        // A trip for a host we are no more: whatever it found belongs to a link that is gone.
        if trip.host == host {
            switch result {
            case .success(let outcome) where outcome.isLost:
                lose("the lease on \(file.address.path) ran out and others took over what was held")
            case .success(let outcome):
                host = outcome.host
                leaseUntil = max(leaseUntil, outcome.leaseUntil)
                receive(outcome.caught, trip.wishes)
            case .failure(let failure):
                if isUp, failure.kind != .closed { lose(failure.description) }
            }
        }
        finishStopping()
    }

    private func receive(_ caught: [DeskTrip.Catch], _ wishes: [DeskTrip.Wish]) {
        var counts: [Int: Int] = [:]
        for item in caught {
            guard let index = lanes.firstIndex(where: { $0.queue == item.queue }) else { continue }
            guard isConsuming else {
                settlements.append(DeskTrip.Settlement(row: item.row, action: .requeue))
                continue
            }
            counts[index, default: 0] += 1
            lastTag += 1
            lanes[index].held += 1
            held[lastTag] = Held(row: item.row, lane: index)
        }
        for wish in wishes {
            guard let index = lanes.firstIndex(where: { $0.queue == wish.queue }) else { continue }
            if counts[index, default: 0] < wish.limit { lanes[index].isDry = true }
        }
        guard isConsuming else { return turnEnd() }
        keepRenewing()
        // Told last: a listener may settle, set credit or stop at once.
        var number = lastTag - UInt64(caught.count)
        let epoch = link
        for item in caught {
            number += 1
            tell(
                .delivered(
                    Delivery(
                        tag: DeliveryTag(link: epoch, number: number), queue: item.queue, exchange: "",
                        routingKey: item.queue, redelivered: item.redelivered, message: item.message)))
        }
    }

    private func lose(_ reason: String) {
        host = nil
        link += 1
        held.removeAll()
        settlements.removeAll()
        leaseUntil = WallTime(microseconds: 0)
        for index in lanes.indices {
            lanes[index].held = 0
            lanes[index].isDry = false
        }
        renewalTimer?.cancel()
        renewalTimer = nil
        tell(.linkLost(reason))
    }

    private func finishStopping() {
        guard !isConsuming, tripsOut == 0, settlements.isEmpty || !isUp else { return }
        let done = whenStopped
        whenStopped = []
        for call in done { call() }
    }

    private func keepRenewing() {
        guard renewalTimer == nil, !held.isEmpty else { return }
        renewalTimer = file.loop.schedule(afterSeconds: times.renewal) { [weak self] in self?.renew() }
    }

    private func renew() {
        renewalTimer = nil
        guard let host, !held.isEmpty else { return }
        let seconds = times.lease
        file.submit(.write) { db in
            let until = wallTime().advanced(bySeconds: seconds)
            return try HostRows.renew(host, until: until, in: db) ? until : nil
        } done: { [weak self] result in
            guard let self, self.host == host else { return }
            switch result {
            case .success(let until?): leaseUntil = max(leaseUntil, until)
            case .success(nil): lose("the lease on \(file.address.path) ran out and others took over what was held")
            case .failure(let failure): if isUp, failure.kind != .closed { lose(failure.description) }
            }
        }
        keepRenewing()
    }
}
