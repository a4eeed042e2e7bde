// Remote control among the processes that share a file: a table, and the notifier of its changes.
public import Ports
import SQLRows
public import TaskModel

/// Broadcasts and replies are kept for a minute, for those that look late; a process that opens later sees none of
/// before.
public final class SQLiteControl: ControlChannel {
    public private(set) var ownAddress: ControlReplyAddress?

    private let file: SQLiteFile
    private var received: (ControlMessage) -> Void = { _ in }
    private var channels: [String] = []
    /// Everything up to here is known; nil: not opened yet.
    private var seen: Int64?
    private var isLooking = false
    private var looksAgain = false
    private var isAttached = false
    private var timer: (any LoopTimer)?
    /// Broadcasts that wait until we hear ourselves.
    private var waiting: [() -> Void] = []

    private static let pollSeconds = 1.0

    public init(file: SQLiteFile) { self.file = file }

    public func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        self.received = received
        let own = ControlReplyAddress(
            exchange: "reply.\(controlExchange).pidbox", routingKey: UUIDText.random())
        ownAddress = own
        channels = ["\(controlExchange).pidbox", Self.channel(own)]
        attach()
        begin()
        poll()
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {
        send(message, to: Self.channel(address))
    }

    public func broadcast(_ message: WireMessage, controlExchange: String) {
        let send = { [weak self] () -> Void in self?.send(message, to: "\(controlExchange).pidbox") }
        if seen == nil, !channels.isEmpty { waiting.append(send) } else { send() }
    }

    public func close() {
        timer?.cancel()
        received = { _ in }
        channels = []
        guard isAttached else { return }
        isAttached = false
        file.detach(self) {}
    }

    private static func channel(_ address: ControlReplyAddress) -> String {
        "\(address.exchange)/\(address.routingKey)"
    }

    private func attach() {
        guard !isAttached else { return }
        isAttached = true
        file.attach(self)
    }

    private func send(_ message: WireMessage, to channel: String) {
        attach()
        let properties = FieldJSON.text(message.properties)
        let headers = FieldJSON.text(message.headers)
        let body = message.body
        file.submitBestEffort(.announcedWrite, because: "as in Celery: who gets no answer asks again") { db in
            try BroadcastRows.insert(
                channel: channel, properties: properties, headers: headers, body: body, now: wallTime(), in: db)
        }
    }

    /// Finds out what is old already.
    private func begin() {
        file.submit(.read) { db in
            try BroadcastRows.lastID(in: db)
        } done: { [weak self] result in
            // A failure is the file's, and reported by its broker; a second later we try again.
            guard let self, case .success(let last) = result else { return }
            seen = seen ?? last
            let sends = waiting
            waiting = []
            for send in sends { send() }
            look()
        }
    }

    private func look() {
        guard let seen, !channels.isEmpty else { return }
        guard !isLooking else {
            looksAgain = true
            return
        }
        isLooking = true
        let channels = channels
        file.submit(.read) { db in
            try BroadcastRows.after(seen, channels: channels, in: db)
        } done: { [weak self] result in
            guard let self else { return }
            isLooking = false
            if case .success(let messages) = result {
                if let last = messages.last { self.seen = max(seen, last.id) }
                for item in messages { received(ControlMessage(message: item.message)) }
            }
            if looksAgain {
                looksAgain = false
                look()
            }
        }
    }

    private func poll() {
        timer = file.loop.schedule(afterSeconds: Self.pollSeconds) { [weak self] in
            guard let self else { return }
            if seen == nil { begin() } else { look() }
            poll()
        }
    }
}

extension SQLiteControl: FileUser {
    func fileUp() { look() }
    func fileDown(_ failure: SQLiteFailure, retryInSeconds: Double) {}
    func fileBlocked(_ failure: SQLiteFailure?) {}
    func fileUnusable(_ failure: SQLiteFailure) {}
    func fileChanged() { look() }
}
