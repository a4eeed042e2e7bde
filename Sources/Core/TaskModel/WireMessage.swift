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
    /// 0…255; a higher one is delivered first (on Redis a lower one).
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

/// A message from its delivery until it is acknowledged or requeued.
public struct Delivery: Sendable {
    public var tag: DeliveryTag
    /// The queue it was consumed from.
    public var queue: String
    public var exchange: String
    public var routingKey: String
    /// The broker has handed it out before.
    public var redelivered: Bool
    /// Starts of it that ended with their host, as far as this broker keeps such books; nil: it keeps none.
    public var lostStarts: Int?
    /// How often it came back since it was sent because who had it vanished (≥ 0), as far as the broker counts; nil:
    /// the broker does not. Begins at 0 with each message sent again.
    public var deliveryCount: Int?
    /// The broker may drop it before long for coming back so often: it is to be published again and then acknowledged.
    public var isNearLimit: Bool
    public var message: WireMessage
    /// Not nil: its body, of so many bytes, was left unread because there was no room for it. It can only be requeued.
    public var unreadBytes: Int?

    public init(
        tag: DeliveryTag, queue: String, exchange: String, routingKey: String, redelivered: Bool,
        lostStarts: Int? = nil, deliveryCount: Int? = nil, isNearLimit: Bool = false, message: WireMessage,
        unreadBytes: Int? = nil
    ) {
        self.tag = tag
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
        self.redelivered = redelivered
        self.lostStarts = lostStarts
        self.deliveryCount = deliveryCount
        self.isNearLimit = isNearLimit
        self.message = message
        self.unreadBytes = unreadBytes
    }
}
