// Events for monitors over PostgreSQL, from both sides: NOTIFY, and a listener.
public import Ports
public import TaskModel

/// Nothing is kept for who does not listen. The events of a turn of the loop are one transaction.
public final class PostgreSQLEvents: EventChannel {
    static let channel = "celeryev"

    private let line: BrokerLine
    private var user: BrokerLine.User?
    private var waiting: [Letter] = []
    private var isUnderWay = false
    private var isClosed = false

    /// While the server takes nothing, no more than so many events wait; further ones are dropped.
    private static let maxWaiting = 1_000

    init(line: BrokerLine) { self.line = line }

    public func publish(_ message: WireMessage, routingKey: String) {
        guard !isClosed else { return }
        if user == nil {
            // The broker over the same line tells what becomes of it.
            user = line.open { _ in }
            line.loop.atTurnEnd { [weak self] in self?.turnEnd() }
        }
        guard waiting.count < Self.maxWaiting else { return }
        waiting.append(Letter(channel: Self.channel, message: message, number: waiting.count))
    }

    public func close() {
        isClosed = true
        line.close(user)
        user = nil
    }

    private func turnEnd() {
        guard !isClosed, !isUnderWay, !waiting.isEmpty else { return }
        isUnderWay = true
        let letters = waiting
        waiting = []
        line.askBestEffort(Letter.send(letters), because: "nothing is kept for monitors that do not listen") {
            [weak self] in
            self?.isUnderWay = false
            self?.turnEnd()
        }
    }
}

/// The broker at the same server tells of its link.
public final class PostgreSQLEventSource: EventSource {
    private let line: BrokerLine
    private var user: BrokerLine.User?
    private var listener: Listener?

    init(line: BrokerLine) { self.line = line }

    public func open(listening: @escaping () -> Void, received: @escaping (WireMessage) -> Void) {
        user = line.open { _ in }
        var first: (() -> Void)? = listening
        listener = Listener(line: line, channels: [PostgreSQLEvents.channel]) { isListening in
            guard isListening else { return }
            first?()
            first = nil
        } received: { letter in
            received(letter.message)
        }
    }

    public func close() {
        listener?.close()
        listener = nil
        line.close(user)
        user = nil
    }
}
