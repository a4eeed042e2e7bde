// When to look for messages that others put there, that became due, or whose host is gone.
import Foundation
import Ports
import TaskModel

extension DeliveryDesk {
    /// The slow look, in case a touch of the wake file was missed; also finds hosts that are gone.
    private static let pollSeconds = 1.0

    func poll() {
        pollTimer?.cancel()
        guard isUp, isConsuming else { return }
        pollTimer = file.loop.schedule(afterSeconds: Self.pollSeconds) { [weak self] in self?.poll() }
        looksThoroughly = true
        look()
    }

    func look() {
        guard isUp, isConsuming else { return }
        guard !isLooking else {
            // The one under way may be too early to see it.
            looksAgain = true
            return
        }
        isLooking = true
        let request = DeskLook(
            queues: lanes.filter(\.isDry).map(\.queue), observer: looksThoroughly ? identity : nil, own: host,
            allowance: times.allowance)
        looksThoroughly = false
        file.submit(.read) { db in
            try request.run(in: db)
        } done: { [weak self] result in
            self?.seen(result)
        }
    }

    private func seen(_ result: Result<DeskLook.Outcome, SQLiteFailure>) {
        isLooking = false
        // A failed look is followed by the next within a second; a broken file is reported by the file itself.
        if case .success(let outcome) = result, isUp, isConsuming {
            for index in lanes.indices where outcome.ready.contains(lanes[index].queue) { lanes[index].isDry = false }
            let wait = outcome.nextDue.map { $0.seconds(since: wallTime()) }
            if !outcome.lostHosts.isEmpty || (wait ?? 1) <= 0 {
                tidy(outcome.lostHosts)
            } else {
                waitForDue(wait)
            }
        }
        if looksAgain {
            looksAgain = false
            look()
        }
    }

    /// Frees what became due and what lost hosts held. Announced, so that we and others look again.
    private func tidy(_ lostHosts: [Int64]) {
        let (observer, own, allowance) = (identity, host, times.allowance)
        file.submit(.announcedWrite) { db in
            let now = wallTime()
            try MessageRows.promoteDue(now: now, in: db)
            _ = try HostRows.reclaim(
                lostHosts, observer: observer, own: own, now: now, allowance: allowance, in: db)
        } done: { [weak self] _ in
            // Done or not: the next look tells.
            self?.look()
        }
    }

    private func waitForDue(_ seconds: Double?) {
        dueTimer?.cancel()
        dueTimer = seconds.map { seconds in
            file.loop.schedule(afterSeconds: seconds) { [weak self] in self?.look() }
        }
    }
}
