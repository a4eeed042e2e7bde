// A command to workers whose replies are awaited (celery-protocol.md §5.1).
public import CeleryWire
public import Ports
import TaskModel
public import TaskhostJSON

public struct ControlQuestion: Sendable {
    public var method: String
    public var arguments: [JSONMember]
    /// Node names; nil: every worker that `pattern` fits.
    public var destination: [String]?
    public var pattern: String?
    /// "glob" or "pcre"; how `pattern` is read.
    public var matcher: String?

    public init(_ method: String, _ arguments: [JSONMember] = [], destination: [String]? = nil) {
        self.method = method
        self.arguments = arguments
        self.destination = destination
    }

    func message(ticket: String, replyTo: ControlReplyAddress?) -> WireMessage {
        var members: [JSONMember] = [
            JSONMember(key: "method", value: .string(method)),
            JSONMember(key: "arguments", value: .object(arguments)),
            JSONMember(key: "destination", value: destination.map { .array($0.map(JSON.string)) } ?? .null),
            JSONMember(key: "pattern", value: pattern.map(JSON.string) ?? .null),
            JSONMember(key: "matcher", value: matcher.map(JSON.string) ?? .null),
            JSONMember(key: "ticket", value: .string(ticket)),
        ]
        if let replyTo {
            let address: JSON = [
                "exchange": .string(replyTo.exchange), "routing_key": .string(replyTo.routingKey),
            ]
            members.append(JSONMember(key: "reply_to", value: address))
        }
        var message = WireMessage(headers: ["clock": .int(1), "expires": .int(0)], body: JSON.object(members).bytes)
        message.properties.contentType = "application/json"
        message.properties.contentEncoding = "utf-8"
        message.properties.priority = 0
        message.properties.deliveryMode = 2
        return message
    }
}

extension TaskClient {
    /// Asks the workers that listen now. Needs a client with a control channel.
    /// - Parameters:
    ///   - seconds: how long replies are awaited, from when the question is out.
    ///   - done: replies by node, in order of names, which workers may share; called early once each node of
    ///     `destination` has answered.
    /// - Throws: it is to be signed, and there is no key.
    public func ask(
        _ question: ControlQuestion, within seconds: Double, on loop: any EventLoop, controlExchange: String = "celery",
        done: @escaping ([JSONMember]) -> Void
    ) throws(WireError) {
        guard let broadcasts else { return done([]) }
        try broadcasts.ask(question, within: seconds, on: loop, controlExchange: controlExchange, done: done)
    }
}
