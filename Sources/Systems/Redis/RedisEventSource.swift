// Events as a monitor receives them over Redis: it subscribes to `/<db>.celeryev/*` (celery-protocol.md §7.5).
public import Ports
public import TaskModel

/// On the loop. The broker at the same server reports the state of its link.
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
        let reference = Reference()
        let link = RedisLink(address: address, loop: loop) { event in
            if case .up = event { reference.link?.subscribe(pattern: pattern) }
        }
        reference.link = link
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

    private final class Reference {
        weak var link: RedisLink?
    }
}
