// Tells Redis what became of messages, until it has taken it: acknowledgements, and messages that go back.
import Ports
import TaskModel

/// Belongs to the loop's thread. What Redis refuses (a right that was taken away, a key of another kind) is owed, and
/// sent again until it is taken: done twice it does no harm.
final class RedisSettler {
    enum Event {
        /// It is owed now.
        case refused(StoreFailure)
        /// Nothing is owed any more.
        case settled
        /// Messages are back in their queues, or owed.
        case restored
        /// What we hold is not where it was: it cannot be settled, ever.
        case lost(StoreFailure)
    }

    private let line: RedisLine
    private let keys: RedisQueueKeys
    private let restorer: RedisRestorer
    private let loop: any EventLoop
    private let report: (Event) -> Void
    private var owedAcknowledgements: [[UInt8]] = []
    private var owedRequeues: [String] = []
    private var restores = 0
    private var backoff = Backoff(initial: 0.2, max: 5, jitter: Backoff.upperHalf)
    private var timer: (any LoopTimer)?
    private var whenRestored: (() -> Void)?
    /// Grows with each loss: answers to what was sent before it are ignored.
    private var epoch = 0

    init(
        line: RedisLine, keys: RedisQueueKeys, restorer: RedisRestorer, loop: any EventLoop,
        report: @escaping (Event) -> Void
    ) {
        self.line = line
        self.keys = keys
        self.restorer = restorer
        self.loop = loop
        self.report = report
    }

    deinit { timer?.cancel() }

    var isRestoring: Bool { restores > 0 }
    /// The last acknowledgement that was answered was refused.
    private(set) var acknowledgesInVain = false
    private var owes: Bool { !owedAcknowledgements.isEmpty || !owedRequeues.isEmpty }

    /// - Parameter requeued: oldest first.
    func settle(acknowledged: [[UInt8]], requeued: [String]) {
        if !acknowledged.isEmpty { acknowledge(acknowledged) }
        if !requeued.isEmpty { restore(requeued) }
    }

    /// Once more, now.
    func sendOwed() {
        timer?.cancel()
        timer = nil
        let (acknowledged, requeued) = (owedAcknowledgements, owedRequeues)
        (owedAcknowledgements, owedRequeues) = ([], [])
        settle(acknowledged: acknowledged, requeued: requeued)
    }

    /// `done` when nothing is on its way back to its queue any more.
    func finish(done: @escaping () -> Void) {
        whenRestored = done
        finishRestoring()
    }

    /// All of it is others' business now.
    func forget() {
        epoch += 1
        acknowledgesInVain = false
        (owedAcknowledgements, owedRequeues) = ([], [])
        timer?.cancel()
        timer = nil
    }

    private func acknowledge(_ tags: [[UInt8]]) {
        let names = [keys.unacked, keys.index].map(\.bytes)
        let asked = epoch
        line.ask(["EVAL".bytes, BrokerScripts.acknowledge.bytes, "2".bytes] + names + tags) { [weak self] answer in
            guard let self, asked == epoch else { return }
            acknowledgesInVain = answer.failure != nil
            guard let failure = answer.failure else { return settled() }
            guard !failure.isPermanent else { return report(.lost(failure)) }
            owedAcknowledgements += tags
            owe(failure)
        }
    }

    private func restore(_ tags: [String]) {
        restores += 1
        let asked = epoch
        // The newest first: each goes to the very front.
        restorer.restore(tags.reversed()) { [weak self] failure in
            guard let self else { return }
            restores -= 1
            if asked == epoch {
                if let failure {
                    owedRequeues += tags
                    owe(failure)
                } else {
                    settled()
                }
            }
            report(.restored)
            finishRestoring()
        }
    }

    private func owe(_ failure: StoreFailure) {
        report(.refused(failure))
        guard timer == nil, owes else { return }
        timer = loop.schedule(afterSeconds: backoff.next()) { [weak self] in self?.sendOwed() }
    }

    private func settled() {
        guard backoff.attempts > 0, !owes else { return }
        backoff.reset()
        report(.settled)
    }

    private func finishRestoring() {
        guard restores == 0, let done = whenRestored else { return }
        whenRestored = nil
        done()
    }
}
