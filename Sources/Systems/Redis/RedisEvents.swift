// Events for monitors over Redis: published to `/<db>.celeryev/<routing key>` (celery-protocol.md §7.5).
public import Ports
public import TaskModel

/// Nothing is kept for who does not listen. On the loop.
public final class RedisEvents: EventChannel {
    private let line: RedisLine
    private let channel: String
    private var isConnected = false
    private var underway = 0

    /// While Redis takes nothing, no more than so many messages wait; further ones are dropped.
    private static let maxUnderway = 256

    public init(address: RedisAddress, loop: any EventLoop) {
        line = RedisLine(address: address, loop: loop, maxWaiting: Self.maxUnderway)
        channel = Self.channel(address)
    }

    static let exchange = "celeryev"

    /// What comes before a slash and the routing key.
    static func channel(_ address: RedisAddress) -> String {
        "\(RedisQueueKeys(prefix: address.keyPrefix).prefix)/\(address.database).\(exchange)"
    }

    public func publish(_ message: WireMessage, routingKey: String) {
        if !isConnected {
            isConnected = true
            line.connectUnreported(reportedBy: "the broker at the same server")
        }
        guard underway < Self.maxUnderway else { return }
        underway += 1
        let envelope = RedisEnvelope(message, exchange: Self.exchange, routingKey: routingKey).bytes
        line.sendBestEffort(
            ["PUBLISH".bytes, "\(channel)/\(routingKey)".bytes, envelope],
            because: "nothing is kept for monitors that do not listen"
        ) { [weak self] in
            self?.underway -= 1
        }
    }

    public func close() { line.close() }
}
