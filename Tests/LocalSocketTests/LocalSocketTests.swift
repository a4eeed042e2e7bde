// The two ends of a host's socket, over a real one.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import LocalSocket

@Suite("A host's socket", .serialized)
final class LocalSocketTests {
    private let loop: EpollLoop
    private let folder: TemporaryFolder
    private var servers: [LocalServer] = []

    init() throws {
        loop = try EpollLoop()
        folder = try TemporaryFolder()
    }

    deinit {
        for server in servers { server.close() }
    }

    private func serve(_ node: String, file: String? = nil) throws -> LocalServer {
        let facts = HostFacts(version: "1", node: node, pid: 7, broker: "sqlite:///\(node).db")
        let server = try LocalServer(
            at: file.map { folder.path + "/" + $0 }, facts: facts, loop: loop,
            folders: [SocketFolder(path: folder.path, isOurs: false)])
        servers.append(server)
        // Answers every command with its own name.
        server.open(nodeName: node, controlExchange: "celery") { message in
            guard let request = Lines.parse(message.message.body, limits: .trusted),
                let key = request["reply_to"]?["routing_key"]?.text
            else { return }
            let reply = WireMessage(
                headers: ["ticket": .string(request["ticket"]?.text ?? "")], body: Array("{\"\(node)\":\"heard\"}".utf8)
            )
            server.reply(to: ControlReplyAddress(exchange: "local", routingKey: key), reply)
        }
        return server
    }

    private func hosts(_ isWanted: @escaping (HostFacts) -> Bool = { _ in true }) -> LocalHosts {
        LocalHosts(
            sockets: nil, loop: loop, folders: [SocketFolder(path: folder.path, isOurs: false)], isWanted: isWanted)
    }

    private func wait(_ what: String, until isDone: @escaping () -> Bool) throws {
        var isLate = false
        let limit = loop.schedule(afterSeconds: 15) { [loop] in
            isLate = true
            loop.stop()
        }
        func look() { if isDone() { loop.stop() } else { _ = loop.schedule(afterSeconds: 0.002, look) } }
        look()
        loop.run()
        limit.cancel()
        if isLate { throw Late(what: what) }
    }

    private struct Late: Error { var what: String }

    private func ask(_ control: LocalControl, _ ticket: String, destination: String = "null") {
        let body = "{\"method\":\"ping\",\"ticket\":\"\(ticket)\",\"destination\":\(destination)}"
        control.broadcast(WireMessage(body: Array(body.utf8)), controlExchange: "celery")
    }

    @Test("a question reaches those it names, and who will reply is known")
    func questions() throws {
        let (_, _) = (try serve("a@x"), try serve("b@x"))
        let control = LocalControl(hosts: hosts())
        var heard: [String] = []
        control.open(nodeName: "client", controlExchange: "celery") { message in
            let body = String(decoding: message.message.body, as: UTF8.self)
            heard.append(message.message.headers["ticket"] == nil ? "own" : body)
        }
        ask(control, "1")
        try wait("two replies") { heard.count == 3 }
        #expect(Set(heard) == ["own", "{\"a@x\":\"heard\"}", "{\"b@x\":\"heard\"}"])
        #expect(control.repliers(to: nil) == ["a@x", "b@x"] && control.repliers(to: ["b@x", "c@x"]) == ["b@x"])
        heard = []
        ask(control, "2", destination: "[\"b@x\"]")
        try wait("one reply") { heard.count == 2 }
        #expect(heard == ["own", "{\"b@x\":\"heard\"}"])
        control.close()
    }

    @Test("who does not read loses events, and holds nobody up")
    func slow() throws {
        let server = try serve("a@x")
        #expect(!server.isHeard)
        guard case .success(let deaf) = UnixSocket.connect(server.path) else { throw Late(what: "the connection") }
        let words = Lines.wantsEvents + [0x0A]
        #expect(write(deaf, words, words.count) == words.count)
        try wait("the listener") { server.isHeard }
        let event = WireMessage(body: Array("{\"x\":\"\(String(repeating: "y", count: 10_000))\"}".utf8))
        for _ in 0..<10_000 { server.publish(event, routingKey: "task.multi") }
        #expect(server.isHeard, "dropped events, not the connection")

        let source = LocalEventSource(hosts: hosts(), loop: loop)
        var isListening = false
        var heard = 0
        source.open(listening: { isListening = true }, received: { _ in heard += 1 })
        try wait("the other listener") { isListening }
        // It is told by the same server, whose turn it needs to learn of it.
        try wait("an event") {
            server.publish(WireMessage(body: [0x5B, 0x5D]), routingKey: "task.multi")
            return heard > 0
        }
        source.close()
        close(deaf)
        try wait("both to be gone") { !server.isHeard }
    }

    @Test("a line without end is no reason to keep it")
    func endless() throws {
        let server = try serve("a@x")
        guard case .success(let client) = UnixSocket.connect(server.path) else { throw Late(what: "the connection") }
        let part = [UInt8](repeating: 0x61, count: 65_536)
        var isCut = false
        try wait("the end of the connection") {
            if send(client, part, part.count, Int32(MSG_NOSIGNAL)) < 0, errno == EPIPE || errno == ECONNRESET {
                isCut = true
            }
            return isCut
        }
        close(client)
    }

    @Test("hosts of another broker are left alone, and those that come later are found")
    func wanted() throws {
        let (_, other) = (try serve("a@x"), try serve("other@x"))
        let source = LocalEventSource(hosts: hosts { $0.broker != "sqlite:///other@x.db" }, loop: loop)
        var heard: [String] = []
        source.open(listening: {}, received: { heard.append(String(decoding: $0.body, as: UTF8.self)) })
        let late = try serve("late@x")
        try wait("the late one") {
            late.publish(WireMessage(body: Array("\"late\"".utf8)), routingKey: "worker.heartbeat")
            return heard.contains("\"late\"")
        }
        #expect(!other.isHeard)
        source.close()
    }

    @Test("a folder that others may write to is passed over; a path that is taken is refused with its fix")
    func places() throws {
        let open = folder.path + "/open"
        try FileManager.default.createDirectory(
            atPath: open, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
        chmod(open, 0o777)
        #expect(SocketFolder(path: open, isOurs: true).prepared() == nil)
        let deep = folder.path + "/" + String(repeating: "d", count: 150)
        let made = SocketFolder(path: deep, isOurs: true)
        #expect(made.prepared() != nil)
        // Longer than an address of a socket may be.
        let server = try serve("a@x", file: String(repeating: "d", count: 150) + "/own.sock")
        #expect(made.sockets() == [server.path])
        #expect(throws: LocalFailure.self) {
            try serve("b@x", file: String(repeating: "d", count: 150) + "/own.sock")
        }
    }

    @Test("a folder set by TASKHOST_RUNTIME_DIR is the only one")
    func only() {
        let environment = ["XDG_RUNTIME_DIR": "/run/user/1", "TASKHOST_RUNTIME_DIR": "/srv/sockets"]
        #expect(SocketFolder.candidates(environment: environment).map(\.path) == ["/srv/sockets"])
        let relative = ["XDG_RUNTIME_DIR": "/run/user/1", "TASKHOST_RUNTIME_DIR": "sockets"]
        #expect(SocketFolder.candidates(environment: relative).first?.path == "/run/user/1/taskhost")
    }
}
