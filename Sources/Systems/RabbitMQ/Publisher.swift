// The loop's face of publishing: hands over, and calls back when it is decided.
import Ports
import TaskModel

/// On the loop. The thread and its connection begin with the first publication.
final class Publisher {
    private let addresses: [RabbitMQAddress]
    private let options: RabbitMQOptions
    private let post: LoopPost
    private let log: (LogLevel, String) -> Void
    private let blocked: (String?) -> Void
    private let connected: () -> Void
    private var reportedFailures = RepeatedReason()
    private let clocks: () -> Clocks
    private var mailbox: PublisherMailbox?
    private var callbacks: [UInt64: (BrokerFailure?) -> Void] = [:]
    private var gathered: [Pending<Publication>] = []
    private var lastID: UInt64 = 0
    private var isClosed = false
    private var ended: (() -> Void)?

    init(
        _ addresses: [RabbitMQAddress], _ options: RabbitMQOptions, _ loop: any EventLoop,
        log: @escaping (LogLevel, String) -> Void, blocked: @escaping (String?) -> Void, connected: @escaping () -> Void
    ) {
        self.addresses = addresses
        self.options = options
        post = LoopPost(loop)
        self.log = log
        self.blocked = blocked
        self.connected = connected
        clocks = { loop.clocks }
    }

    deinit { mailbox?.put { $0.closeWithin = 0 } }

    func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void) {
        lastID += 1
        callbacks[lastID] = done
        if gathered.isEmpty { post {} }  // So that a turn ends soon, also when this call comes from outside one.
        gathered.append(Pending(id: lastID, payload: publication, size: publication.message.body.count + 512))
    }

    /// At the end of a turn: one batch for all that the turn published.
    func flush() {
        guard !gathered.isEmpty else { return }
        let items = gathered
        gathered = []
        guard !isClosed, let mailbox = mailbox ?? start() else {
            let failure = BrokerFailure(
                .closed, isClosed ? "the broker link is closed" : "the system gives no thread to publish")
            return settle(items.map { ($0.id, failure) })
        }
        mailbox.put { $0.items += items }
    }

    /// Somebody has just reached the broker: what waits for the next attempt need not wait any longer.
    func wake() { mailbox?.put { $0.isAwaited = true } }

    /// Waits for confirms of what was handed over, at most so long; the rest fails.
    func close(withinSeconds seconds: Double, done: @escaping () -> Void) {
        flush()
        isClosed = true
        guard let mailbox else { return done() }
        ended = done
        mailbox.put { $0.closeWithin = seconds }
    }

    private func start() -> PublisherMailbox? {
        let made = PublisherMailbox()
        let thread = PublisherThread(made, addresses, options, reports())
        guard OwnThread.run({ thread.run() }) else { return nil }
        mailbox = made
        return made
    }

    private func reports() -> PublisherReports {
        let target = OnLoop(Weak(self))
        let post = post
        return PublisherReports(
            settled: { batch in post { target.value.object?.settle(batch) } },
            blocked: { reason in post { target.value.object?.blocked(reason) } },
            failed: { failure, delay in
                post { target.value.object?.report(failure, delay) }
            },
            connected: { post { target.value.object?.connected() } },
            ended: {
                post {
                    let publisher = target.value.object
                    publisher?.mailbox = nil
                    publisher?.ended?()
                    publisher?.ended = nil
                }
            })
    }

    private func report(_ failure: BrokerFailure, _ delay: Double) {
        guard reportedFailures.isWorthReporting(failure.description, at: clocks().monotonic) else { return }
        // What passes by itself is told beside the consuming link's loss; a wrong password needs an operator.
        log(failure.isHopeless ? .error : .info, "publishing waits: \(failure); next attempt in \(rounded(delay)) s")
    }

    private func settle(_ batch: [(id: UInt64, failure: BrokerFailure?)]) {
        for (id, failure) in batch { callbacks.removeValue(forKey: id)?(failure) }
    }
}

final class Weak<Object: AnyObject> {
    weak var object: Object?
    init(_ object: Object? = nil) { self.object = object }
}

/// Tenths, for people.
func rounded(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
