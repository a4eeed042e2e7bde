// Where events for monitors go (Celery's event exchange, celery-protocol.md §6.1).
public import TaskModel

/// On the loop's thread.
public protocol EventChannel: AnyObject {
    /// False: there is no subscriber, so no event needs to be made.
    var isHeard: Bool { get }

    /// Best effort: returns at once, and drops what would pile up without a consumer.
    func publish(_ message: WireMessage, routingKey: String)

    func close()
}

extension EventChannel {
    /// A broker does not say.
    public var isHeard: Bool { true }
}

/// Events as monitors receive them. On the loop's thread.
public protocol EventSource: AnyObject {
    /// Begins, and goes on after each loss of the link; what is sent meanwhile is not seen.
    /// - Parameter listening: called once, when everything sent from now on will be seen.
    func open(listening: @escaping () -> Void, received: @escaping (WireMessage) -> Void)

    func close()
}
