// Broadcasts among workers and clients, and their replies (Celery's pidbox, celery-protocol.md §5.1).
public import TaskModel

/// Answers while tasks run, however many. All calls and callbacks on the loop's thread.
public protocol ControlChannel: AnyObject {
    /// Receives what is broadcast to `<controlExchange>.pidbox`, now and after each reconnect.
    func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void)

    /// Where replies to questions of our own reach `received`, once `open` was called; nil: they cannot.
    var ownAddress: ControlReplyAddress? { get }

    /// Best effort, as in Celery: a client that is gone gets nothing.
    func reply(to address: ControlReplyAddress, _ message: WireMessage)

    /// To every worker, this one included. Waits until what is broadcast reaches us, so that no reply is missed.
    func broadcast(_ message: WireMessage, controlExchange: String)

    /// Who is going to answer a question that is out now; nil: that cannot be known.
    func repliers(to destination: [String]?) -> [String]?

    func close()

    /// Takes back what was left at the broker for replies, then closes; `done` when that has happened.
    func leave(done: @escaping () -> Void)
}

extension ControlChannel {
    public var ownAddress: ControlReplyAddress? { nil }

    public func repliers(to destination: [String]?) -> [String]? { nil }

    public func leave(done: @escaping () -> Void) {
        close()
        done()
    }
}

public struct ControlMessage: Sendable {
    public var message: WireMessage
    public init(message: WireMessage) { self.message = message }
}

public struct ControlReplyAddress: Sendable, Hashable {
    public var exchange: String
    public var routingKey: String

    public init(exchange: String, routingKey: String) {
        self.exchange = exchange
        self.routingKey = routingKey
    }
}
