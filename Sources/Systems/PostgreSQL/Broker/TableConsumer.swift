// The consuming half of the broker: when to go to the table for messages, and what comes of it.
import Glibc
import Ports
import PullConsumer
import SQLRows
import TaskModel

/// Belongs to the loop's thread. What is held is in the table under the number of this host, whatever becomes of the
/// connection, so a lost one is no reason to give anything up. Only when others have taken over all that is held is
/// unknown.
///
/// One transaction is under way at a time: it settles what is owed and takes what there is room for. What it was is
/// remembered until it is answered; after a loss the next session settles it again (TableConsumer+Standing.swift).
final class TableConsumer {
    enum Event {
        case delivered(Delivery)
        /// Everything held is unknown from now on.
        case lost(String)
        /// Nothing comes and nothing is settled meanwhile; nil: it does again.
        case hindered(String?)
        /// It will not work like this.
        case refused(StoreFailure)
    }

    enum Standing {
        case away, joining, joined
    }

    /// To be settled, and not known to be.
    struct Owed {
        var acknowledged: [Int64] = []
        var requeued: [Int64] = []
        var isEmpty: Bool { acknowledged.isEmpty && requeued.isEmpty }
    }

    /// At most so many messages of a queue in one answer.
    private static let fetchLimit = 256
    private static let restSeconds = 0.5

    let address: PostgreSQLAddress
    let loop: any EventLoop
    let times: HostTimes
    let report: (Event) -> Void

    var pull = PullConsumer()
    var owed = Owed()
    // What TableConsumer+Standing.swift keeps.
    var link: PostgreSQLLink?
    var schema: BrokerSchema?
    var standing = Standing.away
    /// Drawn anew when others have taken over.
    var own = HostSession(host: .random(in: 1...Int64.max), session: 0)
    /// The server may know it.
    var isRegistered = false
    /// When the lease was renewed last, in seconds since the machine was started; nil: never.
    var renewedAt: Double?
    var renewalTimer: (any LoopTimer)?
    // What TableConsumer+Poll.swift keeps.
    var isPolling = false
    var pollsAgain = false
    var pollTimer: (any LoopTimer)?
    var dueTimer: (any LoopTimer)?

    private var isUnderWay = false
    private var restTimer: (any LoopTimer)?
    private var hasWorked = false
    private var isHindered = false

    init(address: PostgreSQLAddress, loop: any EventLoop, times: HostTimes, report: @escaping (Event) -> Void) {
        self.address = address
        self.loop = loop
        self.times = times
        self.report = report
    }

    var queues: [String] { pull.queues.map(\.name) }
    /// What is asked is under way at once. (That the link is lost comes after the end of its questions.)
    var isJoined: Bool { standing == .joined && link?.isUp == true }

    func consume(_ queues: [String]) {
        pull.consume(queues)
        if isJoined {
            renew()
            poll()
        }
        connect()
    }

    func setCredit(_ credit: Int, queue: String) { pull.setCredit(credit, queue: queue) }

    func settle(_ tag: DeliveryTag, requeue: Bool) { pull.settle(tag, requeue: requeue) }

    /// nil: no longer ours.
    func heldMessage(_ tag: DeliveryTag) -> HeldMessage? {
        pull.handle(of: tag).map { HeldMessage(id: $0, host: own.host) }
    }

    /// Others take over no sooner than a lease after our last word; half of it is for what is on its way.
    var isLeaseCertain: Bool { renewedAt.map { Self.secondsSinceBoot() - $0 < times.lease / 2 } ?? false }

    /// Of a clock that goes on while the process, or the machine, stands still; read each time, not once a turn.
    static func secondsSinceBoot() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Nothing is taken any more. `done` when no delivery will follow; what is settled later still is.
    func stop(done: @escaping () -> Void) {
        pull.stop(done: done)
        turnEnd()
        finishStopping()
    }

    /// Goes to the table if there is a reason.
    func turnEnd() {
        guard isJoined, !isUnderWay, restTimer == nil, let link else { return }
        let batch = pull.nextFetch(limit: Self.fetchLimit)
        gatherOwed()
        guard batch != nil || !owed.isEmpty else { return }
        isUnderWay = true
        var statements = [ConsumerStatements.own(own)]
        if !owed.acknowledged.isEmpty { statements.append(ConsumerStatements.acknowledge(owed.acknowledged, own.host)) }
        if !owed.requeued.isEmpty { statements.append(ConsumerStatements.requeue(owed.requeued, own)) }
        let takes = (batch?.requests ?? []).map { request in
            ConsumerStatements.take(own, request.limit, from: pull.queues[request.queue].name)
        }
        link.transact(statements + takes) { [weak self, own] answer in
            self?.answered(batch, takes.count, own, answer)
        }
    }

    /// What was settled since the last time: held no more, so it is to be known before a session tells what it holds.
    func gatherOwed() {
        guard let settlements = pull.takeSettlements() else { return }
        owed.acknowledged += settlements.acknowledged
        owed.requeued += settlements.requeued
    }

    private func answered(_ batch: FetchBatch?, _ takes: Int, _ asker: HostSession, _ answer: TransactionAnswer) {
        isUnderWay = false
        switch answer {
        case .done(let rows) where asker == own && rows.first?.changed == 1:
            owed = Owed()
            worked()
            if let batch { receive(rows.suffix(takes).map { $0.compactMap(StoredMessage.init) }, batch) }
        case .done:
            if let batch { pull.failed(batch) }
            if asker == own { lose(lostLease) }
        case .lost: if let batch { pull.failed(batch) }
        case .failed(let error):
            if let batch { pull.failed(batch) }
            failed(error)
        }
        turnEnd()
        finishStopping()
    }

    var lostLease: String { "the lease at \(address) ran out and others took over what was held" }

    private func receive(_ fetched: [[StoredMessage]], _ given: FetchBatch) {
        var batch = given
        for (index, messages) in fetched.enumerated() {
            batch.requests[index].received = messages.count
            // Cut short by their size, perhaps: there may be more.
            batch.requests[index].isCut = messages.reduce(0) { $0 + $1.bytes } >= ConsumerStatements.fetchBytes / 2
        }
        pull.answered(batch)
        var number = batch.numbers.lowerBound
        var deliveries: [Delivery] = []
        for (request, messages) in zip(batch.requests, fetched) {
            let queue = pull.queues[request.queue].name
            for item in messages.sorted(by: { ($1.priority, $0.id) < ($0.priority, $1.id) }) {
                if let tag = pull.hold(item.id, number: number, queue: request.queue) {
                    deliveries.append(item.delivery(tag, queue: queue))
                }
                number += 1
            }
        }
        // Reported last: a listener may settle, set credit or stop at once.
        for delivery in deliveries { report(.delivered(delivery)) }
    }

    // ---- what hinders ----

    func failed(_ error: ServerError) {
        switch SQLErrorKind(error, at: address) {
        case .passing(let reason): hindered(reason)
        case .contended: hindered("\(address): others changed the same rows: \(error.message)")
        case .reconnect(let reason): link?.drop(reason)
        case .refused(let failure), .unfit(let failure):
            let said = error.state == BrokerRights.state ? BrokerRights.failure(address, error.message) : failure
            // From the start: else we would look well and take nothing. What comes later is reported, and waited for.
            if hasWorked { hindered(said.description) } else { report(.refused(said)) }
        }
    }

    func hindered(_ reason: String) {
        if !isHindered {
            isHindered = true
            report(.hindered(reason))
        }
        guard restTimer == nil else { return }
        restTimer = loop.schedule(afterSeconds: Self.restSeconds) { [weak self] in
            guard let self else { return }
            restTimer = nil
            pull.mayHaveMore()
            turnEnd()
        }
    }

    func worked() {
        hasWorked = true
        guard isHindered else { return }
        isHindered = false
        report(.hindered(nil))
    }

    func finishStopping() {
        guard !isUnderWay, (owed.isEmpty && !pull.owesSettlements) || link == nil else { return }
        for done in pull.stopped() { done() }
    }

    /// The connection is gone, and everything with it.
    func end() {
        for timer in [restTimer, renewalTimer, pollTimer, dueTimer] { timer?.cancel() }
        standing = .away
        link?.close()
        link = nil
    }
}

extension StoredMessage {
    fileprivate func delivery(_ tag: DeliveryTag, queue: String) -> Delivery {
        Delivery(
            tag: tag, queue: queue, exchange: "", routingKey: queue, redelivered: deliveries > 1,
            lostStarts: Int(lostStarts), message: message)
    }
}
