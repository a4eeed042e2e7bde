// Remote control over the hosts' own sockets, as the asking side has it.
public import Ports
public import TaskModel
import TaskhostJSON

/// Each question goes to each host it is meant for; replies come back over the same connections. On the loop.
public final class LocalControl: ControlChannel {
    private let hosts: LocalHosts
    private var received: (ControlMessage) -> Void = { _ in }
    private var isOpen = false
    public let ownAddress: ControlReplyAddress? = ControlReplyAddress(exchange: "local", routingKey: "")

    public init(hosts: LocalHosts) { self.hosts = hosts }

    public func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        self.received = received
        isOpen = true
        hosts.replied = { [weak self] host, line in self?.received(line, from: host) }
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {}

    /// Heard by ourselves once it is out.
    public func broadcast(_ message: WireMessage, controlExchange: String) {
        hosts.look { [weak self] in self?.send(message) }
    }

    public func repliers(to destination: [String]?) -> [String]? {
        hosts.known.filter { Self.isMeant($0, destination) }.map(\.label)
    }

    public func close() {
        isOpen = false
        received = { _ in }
        hosts.close()
    }

    private static func isMeant(_ host: LocalHosts.Host, _ destination: [String]?) -> Bool {
        guard let destination, !destination.isEmpty else { return true }
        return destination.contains(host.label) || destination.contains(host.facts?.node ?? "")
    }

    private func send(_ message: WireMessage) {
        guard isOpen, let body = Lines.parse(message.body, limits: .trusted) else { return }
        let destination = body["destination"]?.elements?.compactMap(\.text)
        for host in hosts.known where Self.isMeant(host, destination) { host.connection.send(body.bytes) }
        received(ControlMessage(message: message))
    }

    private func received(_ line: JSON, from host: LocalHosts.Host) {
        guard let ticket = line["ticket"]?.text, let reply = line["reply"]?.members?.first?.value else { return }
        let body = JSON.object([JSONMember(key: host.label, value: reply)])
        received(ControlMessage(message: WireMessage(headers: ["ticket": .string(ticket)], body: body.bytes)))
    }
}
