// What every broker's protocol can carry: asked when a canvas is applied, before the result it follows is owed.
import Ports
import TaskModel

extension Publication {
    /// Why no broker will take it; nil: none of the reasons that can be known beforehand.
    var problem: String? {
        let properties = message.properties
        let names: [(String, String?)] = [
            ("task id", properties.correlationID), ("reply queue", properties.replyTo),
            ("routing key", routingKey), ("exchange", exchange),
        ]
        for (what, text) in names where (text?.utf8.count ?? 0) > 255 {
            return "its \(what) is longer than 255 bytes"
        }
        // Names that begin so belong to the broker; its exchanges may be used, its queues not.
        if case .queue(let queue) = destination, queue.name.hasPrefix("amq.") {
            return "the queue name '\(queue.name)' is reserved for the broker"
        }
        if let expiration = properties.expiration, UInt32(expiration) == nil {
            return "its expiration '\(expiration.prefix(40))' is no number of milliseconds below 2^32"
        }
        return nil
    }

    private var routingKey: String? {
        switch destination {
        case .queue(let queue): queue.name
        case .exchange(_, let key): key
        case .deadLetters: nil
        }
    }

    private var exchange: String? {
        if case .exchange(let name, _) = destination { name } else { nil }
    }
}
