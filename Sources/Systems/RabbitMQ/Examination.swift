// What can be learnt of a broker and its queues over AMQP without changing anything. For `taskhost doctor`.
import CRabbitMQ
public import Ports
public import TaskModel

/// What RabbitMQ says of itself and of the queues asked for.
public struct RabbitMQExamination: Sendable {
    public struct Queue: Sendable {
        public var name: String
        /// nil: there is no such queue.
        public var found: Found?
        /// Why it could not be looked at.
        public var refusal: BrokerFailure?
    }

    /// A queue as it was declared, by whomever. Policies are not visible over AMQP.
    public struct Found: Sendable {
        public var isDurable = true
        public var isAutoDelete = false
        public var arguments = FieldTable()
        /// What the broker said of a difference that we cannot read; nil: all was found.
        public var unread: String?

        /// "classic", "quorum", "stream" …
        public var kind: String { arguments["x-queue-type"]?.text ?? "classic" }
        public var isQuorum: Bool { kind == "quorum" }
    }

    public var version: RabbitMQVersion
    public var queues: [Queue]
    /// Of the exchanges that queues name for their dead letters, those that do not exist.
    public var missingExchanges: Set<String>
}

extension RabbitMQBroker {
    /// Over a connection of its own; the first address that answers.
    public func examine(
        queues: [String], done: @escaping (Result<RabbitMQExamination, BrokerFailure>) -> Void
    ) {
        visit("doctor", done) { connection, options throws(BrokerFailure) in
            var topology = Topology(connection, channel: 1, options: options)
            var made = RabbitMQExamination(version: connection.version, queues: [], missingExchanges: [])
            for queue in queues {
                let seen = try topology.examine(queue)
                made.queues.append(seen)
                guard let exchange = seen.found?.arguments["x-dead-letter-exchange"]?.text, !exchange.isEmpty else {
                    continue
                }
                if !(try topology.exchangeExists(exchange)) { made.missingExchanges.insert(exchange) }
            }
            try topology.end()
            return made
        }
    }
}

extension Topology {
    /// A queue's arguments cannot be asked for: declare it without any, and read in each refusal one that it has.
    mutating func examine(_ name: String) throws(BrokerFailure) -> RabbitMQExamination.Queue {
        do {
            guard try depth(of: name) != nil else { return .init(name: name) }
            return .init(name: name, found: try arguments(of: name))
        } catch  where error.code == .accessRefused {
            return .init(name: name, refusal: error)
        }
    }

    mutating func arguments(of name: String) throws(BrokerFailure) -> RabbitMQExamination.Found {
        var found = RabbitMQExamination.Found()
        // From 4.0 on "classic" is the same as no type, save where the virtual host has another as its default.
        if connection.brokerMajor >= 4 { found.arguments["x-queue-type"] = .string("classic") }
        // More arguments than RabbitMQ compares.
        for _ in 0..<24 {
            do {
                try declareQueue(
                    name, arguments: found.arguments, durable: found.isDurable, autoDelete: found.isAutoDelete)
                return found
            } catch  where error.code == .precondition {
                guard let difference = PreconditionText.current(error.detail), found.learn(difference) else {
                    found.unread = error.detail
                    return found
                }
            }
        }
        return found
    }
}

extension RabbitMQExamination.Found {
    /// False: nothing new, so that asking again would not help.
    mutating func learn(_ difference: PreconditionText.Current) -> Bool {
        let before = (isDurable, isAutoDelete, arguments)
        switch (difference.argument, difference.value) {
        case ("durable", .bool(let flag)?): isDurable = flag
        case ("auto_delete", .bool(let flag)?): isAutoDelete = flag
        case (let name, let value): arguments[name] = value
        }
        return before != (isDurable, isAutoDelete, arguments)
    }
}

extension PreconditionText {
    /// What a queue has, of an argument in which we differ; nil: none.
    struct Current: Equatable {
        var argument: String
        var value: FieldValue?
    }

    static func current(_ text: String) -> Current? {
        guard let argument = between(text, "inequivalent arg '", "'"),
            let start = text.firstRange(of: "but current is ")
        else { return nil }
        let rest = text[start.upperBound...]
        if rest.hasPrefix("none") { return Current(argument: argument, value: nil) }
        // What both sides have is shown without its type.
        if rest.hasPrefix("'"), let end = rest.lastIndex(of: "'"), end > rest.startIndex {
            return Current(argument: argument, value: untyped(String(rest[rest.index(after: rest.startIndex)..<end])))
        }
        // The value may hold quotes of its own.
        guard rest.hasPrefix("the value '"), let end = rest.firstRange(of: "' of type '") else { return nil }
        let value = String(rest[..<end.lowerBound].dropFirst("the value '".count))
        switch rest[end.upperBound...].prefix(while: { $0 != "'" }) {
        case "longstr": return Current(argument: argument, value: .string(value))
        case "bool": return Current(argument: argument, value: .bool(value == "true"))
        default: return Int64(value).map { Current(argument: argument, value: .int($0)) }
        }
    }

    private static func untyped(_ value: String) -> FieldValue {
        if value == "true" || value == "false" { return .bool(value == "true") }
        return Int64(value).map(FieldValue.int) ?? .string(value)
    }
}
