// The connection by which messages are taken, and this process's standing as a host: joining, renewing, losing, leaving.
import Ports
import PullConsumer
import SQLRows
import TaskModel

extension TableConsumer {
    func connect() {
        guard link == nil else { return }
        let schema = BrokerSchema(address)
        let link = PostgreSQLLink(
            address: address, loop: loop, prepare: { link, done in schema.prepare(link, done: done) },
            tell: { [weak self] event in self?.changed(event) })
        link.notified = { [weak self] notification in self?.notified(notification) }
        self.schema = schema
        self.link = link
        link.connect()
    }

    private func changed(_ event: LinkEvent) {
        switch event {
        case .up: join()
        case .down(let reason, _):
            standing = .away
            // Asked of a session that is over.
            isPolling = false
            hindered(reason)
        case .refused(let failure): report(.refused(schema?.refusal ?? failure))
        }
        finishStopping()
    }

    /// Becomes a host, or goes on as one by a new connection.
    func join() {
        guard let link, link.isUp else { return }
        standing = .joining
        own.session += 1
        gatherOwed()
        let asked = Self.secondsSinceBoot()
        let opening = [Statement(sql: "LISTEN \(MessageNotice.channel)"), ConsumerStatements.plans]
        let joined = ConsumerStatements.join(
            own, isNew: !isRegistered, queues: queues, times: times, acknowledged: owed.acknowledged,
            requeued: owed.requeued, held: pull.heldHandles)
        isRegistered = true
        link.transact(opening + joined) { [weak self, own] answer in
            guard let self, own == self.own else { return }
            switch answer {
            case .done(let rows) where rows[opening.count + 1].isEmpty: lose(lostLease)
            case .done:
                standing = .joined
                owed = Owed()
                renewedAt = asked
                worked()
                pull.mayHaveMore()
                keepRenewing()
                keepPolling()
                turnEnd()
                finishStopping()
            case .lost: break
            case .failed(let error):
                failed(error)
                // Over the same connection again, if that is not at fault.
                if link.isUp {
                    renewalTimer?.cancel()
                    renewalTimer = loop.schedule(afterSeconds: times.poll) { [weak self] in self?.join() }
                }
            }
        }
    }

    /// Others took over: begins again under another number.
    func lose(_ reason: String) {
        own = HostSession(host: .random(in: 1...Int64.max), session: 0)
        isRegistered = false
        renewedAt = nil
        standing = .away
        owed = Owed()
        pull.lose()
        report(.lost(reason))
        join()
    }

    private func keepRenewing() {
        renewalTimer?.cancel()
        renewalTimer = loop.schedule(afterSeconds: times.renewal) { [weak self] in
            guard let self, isJoined else { return }
            renew()
            link?.transact([ConsumerStatements.takeOverStray]) { [weak self] answer in
                if case .failed(let error) = answer { self?.failed(error) }
            }
            keepRenewing()
        }
    }

    func renew() {
        let asked = Self.secondsSinceBoot()
        link?.transact([ConsumerStatements.renew(own, queues: queues, times: times)]) { [weak self, own] answer in
            guard let self, own == self.own else { return }
            switch answer {
            case .done(let rows): if rows[0].changed == 1 { renewedAt = asked } else { lose(lostLease) }
            case .failed(let error): failed(error)
            case .lost: break
            }
        }
    }

    /// All that is held goes back; the last thing a consumer does.
    func leave(done: @escaping () -> Void) {
        for timer in [renewalTimer, pollTimer, dueTimer] { timer?.cancel() }
        guard isJoined, let link else { return done() }
        standing = .away
        link.transact(ConsumerStatements.leave(own)) { _ in done() }  // the lease runs out by itself
    }
}
