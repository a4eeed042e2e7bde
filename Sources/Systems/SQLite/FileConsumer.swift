// The consuming half of the embedded broker: when to go to the file for messages, and what comes of it.
import Ports
import PullConsumer
import TaskModel

/// Belongs to the loop's thread. `PullConsumer` knows what is held and how much more is wanted; the file knows the
/// rest.
///
/// An exhausted queue is asked again when a poll (`QueuePoll`) finds something in it. Polls come after each touch of
/// the wake file, when a delayed message is due, and once a second.
final class FileConsumer {
    enum Event {
        case delivered(Delivery)
        /// Everything held is unknown from now on.
        case linkLost(String)
    }

    let file: SQLiteFile
    let times: LeaseTimes
    let identity: HostIdentity
    private let report: (Event) -> Void

    var pull = PullConsumer()
    var host: Int64?
    private var isRegistering = false
    private var leaseUntil = BootTime(microseconds: 0)
    private var transactionsUnderWay = 0
    /// To be written with the end of the turn.
    private var startedRows: [Int64]?
    private var whenNoted: [(SQLiteFailure?) -> Void] = []

    private static let gathered = 64
    private static let gatherSeconds = 0.002
    private var gatherTimer: (any LoopTimer)?
    private var gatheringIsOver = false

    private(set) var isUp = false

    // The polling half is in FileConsumer+Poll.swift.
    var isPolling = false
    var pollsAgain = false
    var pollsThoroughly = false
    var pollTimer: (any LoopTimer)?
    var dueTimer: (any LoopTimer)?
    private var renewalTimer: (any LoopTimer)?

    init(file: SQLiteFile, times: LeaseTimes, identity: HostIdentity, report: @escaping (Event) -> Void) {
        self.file = file
        self.times = times
        self.identity = identity
        self.report = report
    }

    func start() {
        isUp = true
        keepPolling()
    }

    func consume(_ queues: [String]) {
        pull.consume(queues)
        keepPolling()
    }

    func setCredit(_ credit: Int, queue: String) { pull.setCredit(credit, queue: queue) }

    func settle(_ tag: DeliveryTag, requeue: Bool) { pull.settle(tag, requeue: requeue) }

    /// nil: no longer ours.
    func heldMessage(_ tag: DeliveryTag) -> HeldMessage? {
        guard let host, let row = pull.handle(of: tag) else { return nil }
        return HeldMessage(row: row, host: host)
    }

    /// No host takes over from a living process before its lease is over.
    var isLeaseCertain: Bool { BootTime.now < leaseUntil }

    /// Written down at once, though not to the disk: this process may end at any moment, the machine need not.
    func recordStarts(_ tags: [DeliveryTag], done: @escaping (SQLiteFailure?) -> Void) {
        guard host != nil, let started = pull.start(tags) else { return done(nil) }
        startedRows = Array(started)
        whenNoted.append(done)
    }

    /// With what else there is to write, or alone.
    private func noteStarts() {
        guard let host, let rows = startedRows else { return }
        startedRows = nil
        let done = takeWhenNoted()
        file.submit(.note) { db in
            try HostRows.note(started: rows, of: host, in: db)
        } done: { result in
            for call in done { call(result.failure) }
        }
    }

    private func takeWhenNoted() -> [(SQLiteFailure?) -> Void] {
        defer { whenNoted = [] }
        return whenNoted
    }

    func stop(done: @escaping () -> Void) {
        pull.stop(done: done)
        pollTimer?.cancel()
        dueTimer?.cancel()
        turnEnd()
        finishStopping()
    }

    /// All that is held goes back; the last thing a consumer does.
    func requeueAll() {
        turnEnd()
        renewalTimer?.cancel()
        isUp = false
        pull.requeueAll()
        guard let host else { return }
        file.submitBestEffort(.announcedWrite, because: "the lease runs out, or the end of this process is noticed") {
            db in
            _ = try MessageRows.requeueAll(heldBy: host, in: db)
            try HostRows.remove(host, in: db)
        }
    }

    /// Goes to the file if there is a reason.
    func turnEnd() {
        guard isUp, !isRegistering, !gathers() else { return }
        let batch = pull.nextFetch()
        let settlements = pull.takeSettlements()
        guard batch != nil || settlements != nil else { return noteStarts() }
        let transaction = FetchTransaction(
            host: host, leaseUntil: leaseUntil, settlements: settlements, started: startedRows,
            wanted: batch.map { batch in
                batch.requests.map { FetchTransaction.Wanted(queue: pull.queues[$0.queue].name, limit: $0.limit) }
            } ?? [],
            identity: identity, times: times)
        startedRows = nil
        let noted = takeWhenNoted()
        isRegistering = host == nil
        transactionsUnderWay += 1
        let announces = !(settlements?.requeued.isEmpty ?? true)
        file.submit(announces ? .announcedWrite : .write) { db in
            try transaction.run(in: db)
        } finish: {
            $0.decode()
        } done: { [weak self] result in
            for call in noted { call(result.failure) }
            self?.returned(transaction, batch, result)
        }
    }

    /// A transaction for a few costs as much as one for many: while there is enough to do, they wait for one another.
    private func gathers() -> Bool {
        guard host != nil, !gatheringIsOver, pull.mayGather(upTo: Self.gathered) else {
            gatheringIsOver = false
            gatherTimer?.cancel()
            gatherTimer = nil
            return false
        }
        if gatherTimer == nil {
            gatherTimer = file.loop.schedule(afterSeconds: Self.gatherSeconds) { [weak self] in
                // The end of this turn does the rest.
                self?.gatheringIsOver = true
            }
        }
        return true
    }

    private func returned(
        _ transaction: FetchTransaction, _ batch: FetchBatch?, _ result: Result<FetchTransaction.Outcome, SQLiteFailure>
    ) {
        transactionsUnderWay -= 1
        if transaction.host == nil { isRegistering = false }
        // For a host that we are no more: whatever it found belongs to a link that is gone.
        let isOurs = transaction.host == host
        switch result {
        case .success(let outcome) where isOurs && !outcome.isLost:
            host = outcome.host
            leaseUntil = max(leaseUntil, outcome.leaseUntil)
            if let batch { receive(outcome.fetched, batch) }
        case .success(let outcome):
            if let batch { pull.failed(batch) }
            if isOurs, outcome.isLost { lose(Self.lostLease(file)) }
        case .failure(let failure):
            if let batch { pull.failed(batch) }
            if isOurs, isUp, failure.kind != .closed { lose(failure.description) }
        }
        finishStopping()
    }

    private func receive(_ fetched: [[FetchedMessage]], _ given: FetchBatch) {
        var batch = given
        for (index, messages) in fetched.enumerated() {
            batch.requests[index].received = messages.count
            // Cut short by their size: there may be more.
            let bytes = messages.reduce(0) { $0 + $1.message.body.count }
            batch.requests[index].isCut = bytes >= MessageRows.fetchBytes
        }
        pull.answered(batch)
        var number = batch.numbers.lowerBound
        var deliveries: [Delivery] = []
        deliveries.reserveCapacity(fetched.reduce(0) { $0 + $1.count })
        for (request, messages) in zip(batch.requests, fetched) {
            let queue = pull.queues[request.queue].name
            for item in messages {
                if let tag = pull.hold(item.row, number: number, queue: request.queue) {
                    deliveries.append(item.delivery(tag, queue: queue))
                }
                number += 1
            }
        }
        guard pull.isConsuming else { return turnEnd() }
        keepRenewing()
        // Reported last: a listener may settle, set credit or stop at once.
        for delivery in deliveries { report(.delivered(delivery)) }
    }

    private func lose(_ reason: String) {
        host = nil
        startedRows = nil
        pull.lose()
        leaseUntil = BootTime(microseconds: 0)
        renewalTimer?.cancel()
        renewalTimer = nil
        report(.linkLost(reason))
    }

    private func finishStopping() {
        guard transactionsUnderWay == 0, !pull.owesSettlements || !isUp else { return }
        for done in pull.stopped() { done() }
    }

    private static func lostLease(_ file: SQLiteFile) -> String {
        "the lease on \(file.address.path) ran out and others took over what was held"
    }

    private func keepRenewing() {
        guard renewalTimer == nil, pull.isHolding else { return }
        renewalTimer = file.loop.schedule(afterSeconds: times.renewal) { [weak self] in self?.renew() }
    }

    private func renew() {
        renewalTimer = nil
        guard let host, pull.isHolding else { return }
        let seconds = times.lease
        file.submit(.write) { db in
            let until = BootTime.now.advanced(bySeconds: seconds)
            return try HostRows.renew(host, until: until, in: db) ? until : nil
        } done: { [weak self] result in
            guard let self, self.host == host else { return }
            switch result {
            case .success(let until?): leaseUntil = max(leaseUntil, until)
            case .success(nil): lose(Self.lostLease(file))
            case .failure(let failure): if isUp, failure.kind != .closed { lose(failure.description) }
            }
        }
        keepRenewing()
    }
}
