// A host's own socket: remote control and events for this user's processes on this machine, without a broker.
import CLinux
import Glibc
public import Ports
public import TaskModel
import TaskhostJSON

/// Both a control channel and an event channel. On the loop.
public final class LocalServer {
    /// Absolute, or as it was given.
    public let path: String
    private let facts: HostFacts
    private let loop: any EventLoop
    private let listener: Int32
    private var watch: (any LoopWatch)?
    private var clients: [Int: Client] = [:]
    private var lastClient = 0
    private var isClosed = false
    private var received: (ControlMessage) -> Void = { _ in }

    private final class Client {
        let connection: LineConnection
        var wantsEvents = false
        init(_ connection: LineConnection) { self.connection = connection }
    }

    private static let maxClients = 64
    private static let longestLine = 1 << 20
    private static let limits = JSONLimits(maxDepth: 16, maxNodes: 100_000)
    /// Events are dropped for who has so many bytes to take still; who has so many more is cut off.
    private static let eventBacklog = 1 << 20
    private static let maxBacklog = 64 << 20

    /// - Parameter path: nil: a name of its own in the first folder that will do.
    /// - Throws: with the fix.
    public init(
        at path: String?, facts: HostFacts, loop: any EventLoop,
        folders: [SocketFolder] = SocketFolder.candidates()
    ) throws(LocalFailure) {
        self.facts = facts
        self.loop = loop
        if let path {
            self.path = path
            listener = try Self.listen(at: path)
            return
        }
        guard let folder = folders.lazy.compactMap({ $0.prepared() }).first else {
            throw LocalFailure(
                "no folder for a socket: \(folders.map(\.path).joined(separator: ", ")) cannot be made or written to by us "
                    + "alone", fix: "Set XDG_RUNTIME_DIR, or name a path with --socket; --socket none does without")
        }
        folder.clearAway()
        // Process ids are not unique among containers that share a folder.
        let name = "\(facts.pid)-\(UUIDText.random().prefix(6))\(SocketFolder.suffix)"
        self.path = "\(folder.path)/\(name)"
        listener = try Self.listen(at: self.path)
    }

    /// Under another name first: who finds a socket may take it for a dead host's before we listen.
    private static func listen(at path: String) throws(LocalFailure) -> Int32 {
        if case .success(let descriptor) = UnixSocket.connect(path) {
            _ = clinux_close(descriptor)
            throw LocalFailure("another process listens at \(path)", fix: "Name another path with --socket")
        }
        let slash = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
        let unnamed = "\(path[..<slash]).\(getpid())-\(path[slash...])"
        unlink(unnamed)
        switch UnixSocket.listen(unnamed) {
        case .success(let descriptor):
            guard rename(unnamed, path) == 0 else {
                let code = UnixSocket.Code(errno)
                unlink(unnamed)
                _ = clinux_close(descriptor)
                throw unusable(path, code)
            }
            return descriptor
        case .failure(let code):
            unlink(unnamed)
            throw unusable(path, code)
        }
    }

    private static func unusable(_ path: String, _ code: UnixSocket.Code) -> LocalFailure {
        LocalFailure(
            "cannot listen at \(path): \(code.text)", fix: "Name a path in a folder that we may write to with --socket")
    }

    // ---- clients ----

    private func acceptAll() {
        while let descriptor = UnixSocket.accept(listener) {
            guard clients.count < Self.maxClients, UnixSocket.isOurs(descriptor) else {
                _ = clinux_close(descriptor)
                continue
            }
            lastClient += 1
            let number = lastClient
            let client = Client(LineConnection(descriptor, longestLine: Self.longestLine))
            clients[number] = client
            client.connection.start(on: loop) { [weak self] in
                self?.received($0, from: number)
            } ended: { [weak self] in
                self?.clients[number] = nil
            }
            client.connection.send(Lines.greeting(facts))
        }
    }

    private func received(_ line: [UInt8], from number: Int) {
        guard let client = clients[number] else { return }
        guard let body = Lines.parse(line, limits: Self.limits), body.members != nil else {
            return send(Lines.reply(ticket: nil, body: Array("{\"error\":\"no JSON object\"}".utf8)), to: number)
        }
        if let flag = body["events"]?.boolean {
            client.wantsEvents = flag
            return
        }
        var members = (body.members ?? []).filter { $0.key != "reply_to" && $0.key != "destination" }
        // Commands on this socket are for this host.
        members.append(
            JSONMember(key: "reply_to", value: ["exchange": "local", "routing_key": .string(String(number))]))
        received(ControlMessage(message: WireMessage(body: JSON.object(members).bytes)))
    }

    private func send(_ line: [UInt8], to number: Int) {
        guard let client = clients[number] else { return }
        client.connection.send(line)
        if client.connection.backlog > Self.maxBacklog {
            client.connection.close()
            clients[number] = nil
        }
    }
}

extension LocalServer: ControlChannel {
    public func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        self.received = received
        guard watch == nil, !isClosed else { return }
        watch = loop.watch(listener, for: .read) { [weak self] _ in self?.acceptAll() }
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {
        guard let number = Int(address.routingKey) else { return }
        let ticket = message.headers["ticket"]?.text.map(JSON.string) ?? .null
        send(Lines.reply(ticket: ticket, body: message.body), to: number)
    }

    /// This host is the only member.
    public func broadcast(_ message: WireMessage, controlExchange: String) {}

    public func close() {
        guard !isClosed else { return }
        isClosed = true
        unlink(path)
        watch?.cancel()
        _ = clinux_close(listener)
        for client in clients.values { client.connection.close() }
        clients = [:]
        received = { _ in }
    }
}

extension LocalServer: EventChannel {
    public var isHeard: Bool { clients.values.contains(where: \.wantsEvents) }

    public func publish(_ message: WireMessage, routingKey: String) {
        let line = Lines.events(message.body)
        for (number, client) in clients
        where client.wantsEvents && client.connection.backlog < Self.eventBacklog {
            send(line, to: number)
        }
    }
}
