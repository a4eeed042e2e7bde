// Headers of taskhost's own, and what of them a message loses when it is sent again.

/// Every header of taskhost's own begins with `taskhost-`. They are taskhost's alone: nothing of Celery reads them.
public enum OwnHeaders {
    public static let prefix = "taskhost-"
    /// Starts already made of this attempt; an integer.
    public static let starts = "taskhost-starts"
    /// Put there when a host sends a message into a delay: "received" when it had come before and an event had said so,
    /// "retry" when it is an attempt that no worker has received yet.
    public static let postponed = "taskhost-postponed"
    /// Why a message is a dead letter; a table (docs/wire.md).
    public static let dead = "taskhost-dead"
    /// Put there by a broker adapter that could not read the headers; the reason as text.
    public static let adapterError = "taskhost-wire-error"
    /// Starts that were written down and ended with their host; an integer.
    public static let lostStarts = "taskhost-lost-starts"
}

extension WireMessage {
    /// The queue that a dead letter came from: as the worker wrote it, else as RabbitMQ did; nil when neither did.
    public var queueBeforeDeath: String? {
        if case .table(let story)? = headers[OwnHeaders.dead], let queue = story["queue"]?.text { return queue }
        return headers["x-first-death-queue"]?.text
    }

    /// Without the broker's records of deaths, its routing instructions, and a user id it would refuse from us.
    public var withoutBrokerRecords: WireMessage {
        var message = self
        message.headers.fields.removeAll { BrokerHeaders.isBookkeeping($0.key) || $0.key == "CC" || $0.key == "BCC" }
        message.properties.userID = nil
        return message
    }

    /// A dead letter as it is to be sent again: also without our own headers, so that its starts are counted from 0.
    public var revived: WireMessage {
        var message = withoutBrokerRecords
        message.headers.fields.removeAll { $0.key.hasPrefix(OwnHeaders.prefix) }
        return message
    }
}
