// Headers in which RabbitMQ keeps books of one message in its queues.

/// What a broker wrote into a message's headers is not for the message that is sent again.
public enum BrokerHeaders {
    /// Times a quorum queue has delivered the message and got it back, up to its delivery limit. From 4.3 on only of
    /// those who vanished; what was requeued is in `acquiredCount` alone.
    public static let deliveryCount = "x-delivery-count"
    /// Times a quorum queue has handed out the message, from 4.3 on.
    public static let acquiredCount = "x-acquired-count"

    /// RabbitMQ drops a message as a cycle when the records of its deaths come back; the counts are of one message in
    /// one queue.
    public static func isBookkeeping(_ key: String) -> Bool {
        guard key.hasPrefix("x-") else { return false }
        return key == "x-death" || key == deliveryCount || key == acquiredCount || key.hasPrefix("x-first-death-")
            || key.hasPrefix("x-last-death-")
    }
}
