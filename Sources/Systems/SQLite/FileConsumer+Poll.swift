// When to poll for messages that others put there, that became due, or whose host is gone.
import Ports
import PullConsumer
import TaskModel

extension FileConsumer {
    /// The slow poll, in case a touch of the wake file was missed; also finds hosts that are gone.
    private static let pollSeconds = 1.0

    func keepPolling() {
        pollTimer?.cancel()
        guard isUp, pull.isConsuming else { return }
        pollTimer = file.loop.schedule(afterSeconds: Self.pollSeconds) { [weak self] in self?.keepPolling() }
        pollsThoroughly = true
        poll()
    }

    func poll() {
        guard isUp, pull.isConsuming else { return }
        guard !isPolling else {
            // The one under way may be too early to see it.
            pollsAgain = true
            return
        }
        isPolling = true
        let request = QueuePoll(
            queues: pull.queues.filter(\.isExhausted).map(\.name), observer: pollsThoroughly ? identity : nil,
            own: host,
            allowance: times.allowance)
        pollsThoroughly = false
        file.submit(.read) { db in
            try request.run(in: db)
        } done: { [weak self] result in
            self?.polled(result)
        }
    }

    private func polled(_ result: Result<QueuePoll.Outcome, SQLiteFailure>) {
        isPolling = false
        // A failed poll is followed by the next within a second; a broken file is reported by the file itself.
        if case .success(let outcome) = result, isUp, pull.isConsuming {
            for queue in outcome.ready { pull.mayHaveMore(queue) }
            let wait = outcome.nextDue.map { $0.seconds(since: wallTime()) }
            if !outcome.lostHosts.isEmpty || (wait ?? 1) <= 0 {
                tidy(outcome.lostHosts)
            } else {
                waitForDue(wait)
            }
        }
        if pollsAgain {
            pollsAgain = false
            poll()
        }
    }

    /// Frees what became due and what lost hosts held. Announced, so that we and others poll again.
    private func tidy(_ lostHosts: [Int64]) {
        let (observer, own, allowance) = (identity, host, times.allowance)
        file.submit(.announcedWrite) { db in
            let now = wallTime()
            try MessageRows.promoteDue(now: now, in: db)
            _ = try HostRows.reclaim(
                lostHosts, observer: observer, own: own, now: .now, allowance: allowance, in: db)
        } done: { [weak self] result in
            // Otherwise the poll of the next second finds it again: at once it would ask for ever.
            if case .success = result { self?.poll() }
        }
    }

    private func waitForDue(_ seconds: Double?) {
        dueTimer?.cancel()
        dueTimer = seconds.map { seconds in
            file.loop.schedule(afterSeconds: seconds) { [weak self] in self?.poll() }
        }
    }
}
