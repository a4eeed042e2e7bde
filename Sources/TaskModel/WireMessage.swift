/// A message as it travels: undecoded body, headers and properties. `CeleryWire` makes a `TaskMessage` of it.
public struct WireMessage: Sendable, Equatable {
    public var properties: MessageProperties
    public var headers: FieldTable
    public var body: [UInt8]

    public init(properties: MessageProperties = MessageProperties(), headers: FieldTable = [:], body: [UInt8]) {
        self.properties = properties
        self.headers = headers
        self.body = body
    }
}

/// AMQP basic properties (AMQP 0-9-1, §1.8.1). nil: not set.
public struct MessageProperties: Sendable, Equatable {
    public var contentType: String?
    public var contentEncoding: String?
    public var correlationID: String?
    public var replyTo: String?
    /// 0…255; a higher one is delivered first.
    public var priority: UInt8?
    /// 2: survives a broker's restart; 1: does not.
    public var deliveryMode: UInt8?
    /// Milliseconds, as decimal text.
    public var expiration: String?
    public var messageID: String?
    public var timestamp: UInt64?
    public var type: String?
    public var userID: String?
    public var appID: String?

    public init() {}
}

/// Names one delivery on one link. After a reconnect the tags of the old link mean nothing any more.
public struct DeliveryTag: Sendable, Hashable {
    /// Counts the links of this process; grows with each reconnect.
    public var link: UInt32
    public var number: UInt64

    public init(link: UInt32, number: UInt64) {
        self.link = link
        self.number = number
    }
}

/// A message in our hands, until it is settled.
public struct Delivery: Sendable {
    public var tag: DeliveryTag
    /// The queue it was consumed from.
    public var queue: String
    public var exchange: String
    public var routingKey: String
    /// The broker has handed it out before.
    public var redelivered: Bool
    public var message: WireMessage

    public init(
        tag: DeliveryTag, queue: String, exchange: String, routingKey: String, redelivered: Bool, message: WireMessage
    ) {
        self.tag = tag
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
        self.redelivered = redelivered
        self.message = message
    }
}
