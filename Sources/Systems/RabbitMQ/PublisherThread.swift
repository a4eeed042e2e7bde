// The thread that owns the publishing connection: takes batches from the mailbox, keeps the link up.
import CLinux
import Glibc
import Ports
import Synchronization
import TaskModel

/// What the loop hands to the publisher's thread.
final class PublisherMailbox: Sendable {
    struct Content {
        var items: [Pending<Publication>] = []
        /// Seconds from now until what is left is given up; nil: go on.
        var closeWithin: Double?
        /// The broker is there again: no need to wait for the next attempt.
        var isAwaited = false
    }

    private let content = Mutex(Content())
    /// Readable when something was put in.
    let descriptor: Int32

    init() { descriptor = clinux_eventfd() }
    deinit { close(descriptor) }

    func put(_ change: (inout Content) -> Void) {
        content.withLock { change(&$0) }
        // Fails only when the counter is full, and then it is readable anyway.
        _ = clinux_eventfd_signal(descriptor)
    }

    func take() -> Content {
        _ = clinux_eventfd_drain(descriptor)
        return content.withLock { content in
            let taken = content
            content.items = []
            content.isAwaited = false
            return taken
        }
    }
}

/// What the thread tells the loop; called on the thread.
struct PublisherReports: Sendable {
    var settled: @Sendable ([(id: UInt64, failure: BrokerFailure?)]) -> Void
    var blocked: @Sendable (String?) -> Void
    var failed: @Sendable (BrokerFailure, _ retryInSeconds: Double) -> Void
    /// It has a link, for the first time or again.
    var connected: @Sendable () -> Void
    var ended: @Sendable () -> Void
}

/// Confined to its thread once `run` is called.
final class PublisherThread: @unchecked Sendable {
    private let mailbox: PublisherMailbox
    private let addresses: [RabbitMQAddress]
    private let options: RabbitMQOptions
    private let reports: PublisherReports
    private var link: PublishChannel?
    private var waiting = Fifo<Pending<Publication>>()
    private var backoff: LinkBackoff
    private var attempts = 0
    /// How many of those that wait are to go one by one over the next link.
    private var careful = 0
    private var retryAt = 0.0
    private var giveUpAt: Double?
    private var reportedBlock: String?

    private static let publishesBetweenPumps = 64

    init(
        _ mailbox: PublisherMailbox, _ addresses: [RabbitMQAddress], _ options: RabbitMQOptions,
        _ reports: PublisherReports
    ) {
        self.mailbox = mailbox
        self.addresses = addresses
        self.options = options
        self.reports = reports
        backoff = LinkBackoff(options)
    }

    func run() {
        while true {
            takeMail()
            if let giveUpAt, isIdle || Self.now() >= giveUpAt { return end() }
            if link == nil, !waiting.isEmpty, Self.now() >= retryAt { connect() }
            if let link {
                do throws(BrokerFailure) {
                    try work(link)
                } catch {
                    lost(error)
                }
            }
            report()
            waitForSomething()
        }
    }

    private var isIdle: Bool { waiting.isEmpty && (link.map { $0.unconfirmed.count == 0 } ?? true) }

    private func takeMail() {
        let mail = mailbox.take()
        for item in mail.items { waiting.append(item) }
        if mail.isAwaited {
            retryAt = 0
            backoff.reset()
        }
        if let within = mail.closeWithin, giveUpAt == nil { giveUpAt = Self.now() + within }
    }

    private func connect() {
        let address = addresses[attempts % addresses.count]
        attempts += 1
        do throws(BrokerFailure) {
            link = try PublishChannel(address, options, careful: careful)
            attempts -= 1  // Next time this node first: it was the good one.
            reports.connected()
        } catch {
            lost(error)
        }
    }

    private func lost(_ failure: BrokerFailure) {
        if let link {
            waiting.prepend(link.abandon(after: failure))
            careful = link.careful
            settle(link)
        }
        link = nil
        let delay = backoff.next(after: failure)
        retryAt = Self.now() + delay
        reports.failed(failure, delay)
    }

    /// Publishes while there is room, and reads what the broker sends in between.
    private func work(_ link: PublishChannel) throws(BrokerFailure) {
        try link.pump()
        var published = 0
        while let next = waiting.first, link.hasRoom(for: next.size), link.connection.isWritable {
            _ = waiting.popFirst()
            try link.publish(next)
            published += 1
            if published % Self.publishesBetweenPumps == 0 { try link.pump() }
        }
        if published > 0 { try link.pump() }
        if !link.again.isEmpty {
            waiting.prepend(link.again)
            link.again = []
        }
    }

    private func settle(_ link: PublishChannel) {
        guard !link.settled.isEmpty else { return }
        backoff.reset()
        reports.settled(link.settled)
        link.settled = []
    }

    private func report() {
        if let link { settle(link) }
        let reason = link?.blockedReason
        if reason != reportedBlock {
            reportedBlock = reason
            reports.blocked(reason)
        }
    }

    private func waitForSomething() {
        let now = Self.now()
        let patience = PublisherPatience(
            tick: link?.connection.tickSeconds, retryIn: waiting.isEmpty ? nil : retryAt - now,
            giveUpIn: giveUpAt.map { $0 - now }, isIdle: isIdle)
        var queries = [pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)]
        if let link {
            // With room to publish, only the socket can be what we wait for.
            let wantsRoom = waiting.first.map { link.hasRoom(for: $0.size) } ?? false
            let events = wantsRoom ? POLLIN | POLLOUT : POLLIN
            queries.append(pollfd(fd: link.connection.descriptor, events: Int16(events), revents: 0))
        }
        // Interrupted or not: the caller looks at everything again.
        _ = poll(&queries, nfds_t(queries.count), patience.seconds.map { Int32(($0 * 1000).rounded(.up)) } ?? -1)
    }

    private func end() {
        let failure = BrokerFailure(.closed, "closed before the broker confirmed the message")
        var left = link?.abandon(after: failure) ?? []
        while let item = waiting.popFirst() { left.append(item) }
        if let link { settle(link) }
        if !left.isEmpty { reports.settled(left.map { ($0.id, failure) }) }
        link?.connection.close()
        link = nil
        reports.ended()
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// How long the thread may sleep when nothing comes.
struct PublisherPatience {
    /// Of the link: it must be looked after so often; nil: there is none.
    var tick: Double?
    /// Until the next attempt at a link; nil: nothing waits for one.
    var retryIn: Double?
    /// Until what is left is given up; nil: we are not closing.
    var giveUpIn: Double?
    /// Nothing waits or is unconfirmed.
    var isIdle: Bool

    /// nil: for ever.
    var seconds: Double? {
        // The last confirm has come since the thread looked whether it may end: nothing else will wake it.
        if giveUpIn != nil, isIdle { return 0 }
        return [tick ?? retryIn, giveUpIn].compactMap(\.self).min().map { max(0, $0) }
    }
}
