// Events over the hosts' own sockets, as a monitor has them.
public import Ports
public import TaskModel
import TaskhostJSON

/// Hosts that come later are found within a second. On the loop.
public final class LocalEventSource: EventSource {
    private let hosts: LocalHosts
    private let loop: any EventLoop
    private var received: (WireMessage) -> Void = { _ in }
    private var timer: (any LoopTimer)?

    private static let lookSeconds = 0.5

    /// - Parameter hosts: may be shared with a `LocalControl`.
    public init(hosts: LocalHosts, loop: any EventLoop) {
        self.hosts = hosts
        self.loop = loop
    }

    public func open(listening: @escaping () -> Void, received: @escaping (WireMessage) -> Void) {
        self.received = received
        hosts.came = { host in
            host.connection.send(Lines.wantsEvents)
            host.connection.send(Lines.wantsHeartbeat)
        }
        for host in hosts.known { hosts.came(host) }
        hosts.heardEvents = { [weak self] in self?.received(WireMessage(body: $0.bytes)) }
        hosts.look { [weak self] in
            listening()
            self?.lookAgain()
        }
    }

    public func close() {
        timer?.cancel()
        received = { _ in }
        hosts.close()
    }

    private func lookAgain() {
        timer = loop.schedule(afterSeconds: Self.lookSeconds) { [weak self] in
            self?.hosts.look()
            self?.lookAgain()
        }
    }
}
