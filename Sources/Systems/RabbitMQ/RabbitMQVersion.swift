// The version a RabbitMQ says it is, and what follows from it for queues. Seen on 3.10.8, 4.0.5 and 4.3.6.
public import TaskModel

public struct RabbitMQVersion: Sendable, Hashable, CustomStringConvertible {
    /// "4.3.6"; empty when the broker does not say: taken for an old one.
    public let description: String
    public let major: Int
    public let minor: Int

    public init(_ text: String) {
        description = text
        let numbers = text.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? 0 }
        major = numbers.first ?? 0
        minor = numbers.count > 1 ? numbers[1] : 0
    }

    private func isAtLeast(_ major: Int, _ minor: Int) -> Bool { (self.major, self.minor) >= (major, minor) }

    /// What a quorum queue makes of a message's priority. `x-max-priority` is refused on one by every version.
    public enum QuorumPriorities: Sendable { case none, two, all }

    public var quorumPriorities: QuorumPriorities {
        isAtLeast(4, 3) ? .all : isAtLeast(4, 0) ? .two : .none
    }

    /// "0 to 31, the higher first"; nil: none.
    public var quorumPriorityText: String? {
        switch quorumPriorities {
        case .none: nil
        case .two: "two: of three messages two are of priority 5 or more, while there are any"
        case .all: "0 to 31, the higher first"
        }
    }

    /// From 4.0 on a quorum queue drops a message that came back so often, unless it says otherwise.
    public var hasDeliveryLimit: Bool { isAtLeast(4, 0) }

    /// What is held too long by a consumer of such a queue is given to another.
    public func hasConsumerTimeout(_ kind: QueueDeclaration.Kind) -> Bool { kind == .quorum || !isAtLeast(4, 3) }
}
