// When to look for messages: a notice came, one became due, a host is gone, or simply after a while.
import Ports
import PullConsumer

extension TableConsumer {
    func notified(_ notification: Notification) {
        if notification.payload.hasPrefix(MessageNotice.ready) {
            // The end of this turn fetches it.
            pull.mayHaveMore(String(notification.payload.dropFirst(MessageNotice.ready.count)))
        } else if notification.payload.hasPrefix(MessageNotice.later) {
            poll()
        }
    }

    func keepPolling() {
        pollTimer?.cancel()
        pollTimer = loop.schedule(afterSeconds: times.poll) { [weak self] in self?.keepPolling() }
        poll()
    }

    func poll() {
        guard isJoined, pull.isConsuming, let link else { return }
        guard !isPolling else {
            // The one under way may be too early to see it.
            pollsAgain = true
            return
        }
        isPolling = true
        let exhausted = pull.queues.filter(\.isExhausted).map(\.name)
        link.transact([ConsumerStatements.poll(exhausted)]) { [weak self, own] answer in
            guard let self, own == self.own else { return }
            isPolling = false
            switch answer {
            case .done(let rows): look(at: rows[0])
            case .failed(let error): failed(error)
            case .lost: break
            }
            if pollsAgain {
                pollsAgain = false
                poll()
            }
        }
    }

    private func look(at rows: Rows) {
        var tidying: [[Statement]] = []
        for row in rows where row.count == 3 {
            switch row.text(0) {
            case "ready": if let queue = row.text(1) { pull.mayHaveMore(queue) }
            case "due":
                let seconds = row.double(2) ?? 0
                if seconds <= 0 { tidying.append([ConsumerStatements.promote]) } else { waitForDue(seconds) }
            case "lost":
                if let host = row.text(1).flatMap({ Int64($0) }) { tidying.append(ConsumerStatements.takeOver(host)) }
            default: break
            }
        }
        for (index, statements) in tidying.enumerated() {
            link?.transact(statements) { [weak self] answer in
                guard let self else { return }
                if case .failed(let error) = answer { return failed(error) }
                // There may be more of it. What was freed is announced to all, us included.
                if index == tidying.count - 1, case .done = answer { poll() }
            }
        }
        turnEnd()
    }

    private func waitForDue(_ seconds: Double) {
        dueTimer?.cancel()
        dueTimer = loop.schedule(afterSeconds: seconds) { [weak self] in self?.poll() }
    }
}
