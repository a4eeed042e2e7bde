// Where events for monitors go (Celery's event exchange, celery-wire.md §6.1).
public import TaskModel

/// On the loop's thread.
public protocol EventChannel: AnyObject {
    /// Best effort: returns at once, and drops what would pile up while nobody takes it.
    func publish(_ message: WireMessage, routingKey: String)

    func close()
}
