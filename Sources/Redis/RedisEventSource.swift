// Events as a monitor receives them over Redis: it subscribes to `/<db>.celeryev/*` (celery-wire.md §7.5).
public import Ports
public import TaskModel

/// On the loop. Its link's troubles are those of the broker at the same server, which tells of them.
public final class RedisEventSource: EventSource {
    private let address: RedisAddress
    private let loop: any EventLoop
    private var link: RedisLink?

    public init(address: RedisAddress, loop: any EventLoop) {
        self.address = address
        self.loop = loop
    }

    public func open(listening: @escaping () -> Void, received: @escaping (WireMessage) -> Void) {
        let pattern = "\(RedisQueueKeys(prefix: address.keyPrefix).prefix)/\(address.database).celeryev/*"
        let ear = Ear()
        let link = RedisLink(address: address, loop: loop) { news in
            if case .up = news { ear.link?.subscribe(pattern: pattern) }
        }
        ear.link = link
        var first: (() -> Void)? = listening
        link.subscribed = { _ in
            first?()
            first = nil
        }
        link.received = { _, payload in
            // What is no envelope is for somebody else.
            if let message = Self.message(payload) { received(message) }
        }
        self.link = link
        link.connect()
    }

    public func close() {
        link?.close()
        link = nil
    }

    private static func message(_ payload: [UInt8]) -> WireMessage? {
        do throws(RedisEnvelope.Unreadable) {
            return try RedisEnvelope(parsing: payload).message
        } catch {
            return nil
        }
    }

    private final class Ear {
        weak var link: RedisLink?
    }
}
