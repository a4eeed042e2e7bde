// Remote control over RabbitMQ: Celery's pidbox.
public import Ports
public import TaskModel

/// Shares the broker's connections: broadcasts come over the consuming one, replies leave over the publishing one.
/// On the loop.
public final class RabbitMQControl: ControlChannel {
    private let broker: RabbitMQBroker
    private var sink: ((ControlMessage) -> Void)?
    /// Our own; nil until it is opened.
    private var queue: String?
    /// Broadcasts that wait until our own queue is bound.
    private var waiting: [Publication] = []
    private var receives = false

    public init(broker: RabbitMQBroker) { self.broker = broker }

    /// One queue per node: a second worker of the same name is locked out of it, with a warning at each attempt.
    public func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        sink = received
        guard queue == nil else { return }
        let own = ControlQueue.name(of: nodeName, on: controlExchange)
        queue = own
        broker.consumeControl(own, exchange: ControlQueue.exchange(controlExchange), for: self)
    }

    /// The default exchange leads straight to our queue.
    public var ownAddress: ControlReplyAddress? {
        queue.map { ControlReplyAddress(exchange: "", routingKey: $0) }
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {
        var publication = Publication(
            destination: .exchange(address.exchange, routingKey: address.routingKey), message: message)
        // The client that waits for it asks again, and its exchange is the client's business.
        publication.isUnconfirmed = true
        send(publication)
    }

    public func broadcast(_ message: WireMessage, controlExchange: String) {
        let exchange = ControlQueue.exchange(controlExchange)
        let publication = Publication(destination: .exchange(exchange, routingKey: ""), message: message)
        if receives || queue == nil { send(publication) } else { waiting.append(publication) }
    }

    public func close() { sink = nil }

    func received(_ message: WireMessage) { sink?(ControlMessage(message: message)) }

    func isReceiving() {
        guard !receives else { return }
        receives = true
        let ready = waiting
        waiting = []
        ready.forEach(send)
    }

    private func send(_ publication: Publication) {
        broker.publish(publication) { [log = broker.log] failure in
            // No queue is bound: the client did not wait, or no worker is there.
            guard let failure, failure.code != .unroutable else { return }
            log(.info, "a control message was not sent: \(failure)")
        }
    }
}
