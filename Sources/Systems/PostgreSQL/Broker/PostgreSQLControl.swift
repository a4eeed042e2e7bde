// Remote control over PostgreSQL: broadcasts and replies by NOTIFY.
public import Ports
public import TaskModel

/// A worker that does not listen at that moment gets nothing.
public final class PostgreSQLControl: ControlChannel {
    public private(set) var ownAddress: ControlReplyAddress?

    private let line: BrokerLine
    private var user: BrokerLine.User?
    private var listener: Listener?
    private var isListening = false
    /// Broadcasts that wait until we hear ourselves.
    private var waiting: [() -> Void] = []

    private static let maxWaiting = 10_000

    init(line: BrokerLine) { self.line = line }

    public func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        let own = ControlReplyAddress(exchange: "reply.\(controlExchange).pidbox", routingKey: UUIDText.random())
        ownAddress = own
        use()
        listener = Listener(line: line, channels: [Self.channel(controlExchange), Self.channel(own)]) {
            [weak self] isListening in
            self?.changed(isListening)
        } received: { letter in
            received(ControlMessage(message: letter.message))
        }
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {
        use()
        send(Letter(channel: Self.channel(address), message: message))
    }

    public func broadcast(_ message: WireMessage, controlExchange: String) {
        use()
        let letter = Letter(channel: Self.channel(controlExchange), message: message)
        if listener == nil || isListening {
            send(letter)
        } else if waiting.count < Self.maxWaiting {
            waiting.append { [weak self] in self?.send(letter) }
        }
    }

    public func close() {
        listener?.close()
        listener = nil
        waiting = []
        line.close(user)
        user = nil
    }

    private static func channel(_ controlExchange: String) -> String { "\(controlExchange).pidbox" }

    private static func channel(_ address: ControlReplyAddress) -> String {
        "\(address.exchange)/\(address.routingKey)"
    }

    /// The broker over the same line tells what becomes of it.
    private func use() {
        if user == nil { user = line.open { _ in } }
    }

    private func send(_ letter: Letter) {
        line.askBestEffort(Letter.send([letter]), because: "as in Celery: who gets no answer asks again")
    }

    private func changed(_ isListening: Bool) {
        self.isListening = isListening
        guard isListening else { return }
        let sends = waiting
        waiting = []
        for send in sends { send() }
    }
}
