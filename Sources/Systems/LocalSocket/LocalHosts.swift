// The hosts of this user as a client sees them: connections to their sockets.
import Glibc
public import Ports
import TaskModel
import TaskhostJSON

/// On the loop.
public final class LocalHosts {
    final class Host {
        let connection: LineConnection
        var facts: HostFacts?
        /// Its node's name; with its pid, when another host has the same.
        var label = ""
        init(_ connection: LineConnection) { self.connection = connection }
    }

    private let sockets: [String]?
    private let folders: [SocketFolder]
    private let loop: any EventLoop
    private let isWanted: (HostFacts) -> Bool
    private(set) var hosts: [String: Host] = [:]
    /// Not ours, or gone again: not tried a second time.
    private var refused: Set<String> = []
    private var whenKnown: [() -> Void] = []
    private var patience: (any LoopTimer)?
    /// Told of each host that has introduced itself, and of what it says.
    var came: (Host) -> Void = { _ in }
    var replied: (Host, JSON) -> Void = { _, _ in }
    var heardEvents: (JSON) -> Void = { _ in }

    private static let patienceSeconds = 1.0
    private static let longestLine = 64 << 20

    /// - Parameters:
    ///   - sockets: nil: all that are found in the folders.
    ///   - isWanted: others are left alone.
    public init(
        sockets: [String]?, loop: any EventLoop, folders: [SocketFolder] = SocketFolder.candidates(),
        isWanted: @escaping (HostFacts) -> Bool = { _ in true }
    ) {
        self.sockets = sockets
        self.folders = folders
        self.loop = loop
        self.isWanted = isWanted
    }

    /// Those that have introduced themselves, by name.
    var known: [Host] { hosts.values.filter { $0.facts != nil }.sorted { $0.label < $1.label } }

    /// Looks for sockets; `done` when each host has introduced itself, or had a second to.
    func look(done: @escaping () -> Void = {}) {
        for path in sockets ?? folders.flatMap({ $0.sockets() }) where hosts[path] == nil { connect(path) }
        whenKnown.append(done)
        guard hosts.values.contains(where: { $0.facts == nil }) else { return finishLook() }
        patience = patience ?? loop.schedule(afterSeconds: Self.patienceSeconds) { [weak self] in self?.finishLook() }
    }

    public func close() {
        patience?.cancel()
        whenKnown = []
        for host in hosts.values { host.connection.close() }
        hosts = [:]
    }

    /// Of a socket that was named: why there is no answer.
    public static func check(_ path: String) throws(LocalFailure) {
        switch UnixSocket.connect(path) {
        case .success(let descriptor): Glibc.close(descriptor)
        case .failure(let code):
            throw LocalFailure(
                "no host listens at \(path): \(code.text)",
                fix: "Start a worker with --socket \(path), or look for all of this user's with --local")
        }
    }

    private func connect(_ path: String) {
        guard !refused.contains(path), case .success(let descriptor) = UnixSocket.connect(path) else { return }
        let host = Host(LineConnection(descriptor, longestLine: Self.longestLine))
        hosts[path] = host
        host.connection.start(on: loop) { [weak self, weak host] line in
            if let self, let host { received(line, from: host, at: path) }
        } ended: { [weak self] in
            self?.lose(path)
        }
    }

    private func received(_ line: [UInt8], from host: Host, at path: String) {
        guard let message = Lines.parse(line, limits: .trusted) else { return }
        if host.facts != nil {
            if let events = message["events"] { heardEvents(events) } else { replied(host, message) }
            return
        }
        guard let facts = HostFacts(message), isWanted(facts) else {
            refused.insert(path)
            host.connection.close()
            return lose(path)
        }
        host.facts = facts
        let isTaken = hosts.values.contains { $0 !== host && $0.facts?.node == facts.node }
        host.label = isTaken ? "\(facts.node)/\(facts.pid)" : facts.node
        came(host)
        finishIfKnown()
    }

    private func lose(_ path: String) {
        hosts[path] = nil
        finishIfKnown()
    }

    private func finishIfKnown() {
        if !hosts.values.contains(where: { $0.facts == nil }) { finishLook() }
    }

    private func finishLook() {
        patience?.cancel()
        patience = nil
        let done = whenKnown
        whenKnown = []
        for call in done { call() }
    }
}
