// What every channel of remote control does with broadcasts and replies.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing
import Transports

@Suite("Every control channel", .serialized)
struct ControlChannelTests {
    /// Those that need no link of the broker's; the others have tests of their own.
    struct Kind: Sendable, CustomTestStringConvertible {
        let system: any BrokerTransport.Type

        static let allCases = Transports.brokers.filter { !$0.ordersAreMessages }.map { Kind(system: $0) }
        var testDescription: String { system.name }
    }

    /// One process's end of the channel, and what it heard.
    final class Node {
        let channel: any ControlChannel
        var heard: [String] = []

        init(_ channel: any ControlChannel, exchange: String, name: String) {
            self.channel = channel
            channel.open(nodeName: name, controlExchange: exchange) { [weak self] in
                self?.heard.append($0.message.text)
            }
        }
    }

    private let loop: EpollLoop
    private let folder: TemporaryFolder
    private let exchange = "control-\(UUID().uuidString.prefix(8))"

    init() throws {
        loop = try EpollLoop()
        folder = try TemporaryFolder()
    }

    @Test("what one broadcasts all hear, itself included", arguments: Kind.allCases)
    func broadcast(kind: Kind) throws {
        let nodes = try (0..<3).map { try node(kind, "w\($0)") }
        try hearEachOther(nodes)
        nodes[1].channel.broadcast(.text("hello"), controlExchange: exchange)
        try wait("the broadcast") { nodes.allSatisfy { $0.heard.last == "hello" } }
        for node in nodes { node.channel.close() }
    }

    @Test("another application's broadcasts are not heard", arguments: Kind.allCases)
    func otherExchange(kind: Kind) throws {
        let own = try node(kind, "own")
        own.channel.broadcast(.text("theirs"), controlExchange: "other-\(exchange)")
        own.channel.broadcast(.text("ours"), controlExchange: exchange)
        try wait("our own") { !own.heard.isEmpty }
        #expect(own.heard == ["ours"])
        own.channel.close()
    }

    @Test("a reply reaches who asked and nobody else", arguments: Kind.allCases)
    func reply(kind: Kind) throws {
        let (asking, answering, other) = (try node(kind, "a"), try node(kind, "b"), try node(kind, "c"))
        try hearEachOther([asking, answering, other])
        asking.channel.broadcast(.text("question"), controlExchange: exchange)
        try wait("the question") { answering.heard.last == "question" && other.heard.last == "question" }
        answering.channel.reply(to: try #require(asking.channel.ownAddress), .text("answer"))
        try wait("the answer") { asking.heard.contains("answer") }
        #expect(!other.heard.contains("answer"))
        for node in [asking, answering, other] { node.channel.close() }
    }

    @Test("a reply to a client that is gone harms nobody", arguments: Kind.allCases)
    func replyToNobody(kind: Kind) throws {
        let own = try node(kind, "own")
        own.channel.reply(to: ControlReplyAddress(exchange: "reply.\(exchange)", routingKey: "gone"), .text("x"))
        own.channel.broadcast(.text("still there"), controlExchange: exchange)
        try wait("our own") { own.heard == ["still there"] }
        own.channel.close()
    }

    @Test("who opens later hears nothing of before", arguments: Kind.allCases)
    func late(kind: Kind) throws {
        let early = try node(kind, "early")
        early.channel.broadcast(.text("before"), controlExchange: exchange)
        try wait("the first") { early.heard == ["before"] }
        let late = try node(kind, "late")
        late.channel.broadcast(.text("after"), controlExchange: exchange)
        try wait("the second") { early.heard.count == 2 && !late.heard.isEmpty }
        #expect(late.heard == ["after"])
        early.channel.close()
        late.channel.close()
    }

    private func node(_ kind: Kind, _ name: String) throws -> Node {
        let channel = try Servers.open(kind.system, named: "control", in: folder, on: loop).control()
        return Node(channel, exchange: exchange, name: name)
    }

    /// A broadcast waits for the sender's own ear only: each says one thing, so that all are known to listen.
    private func hearEachOther(_ nodes: [Node]) throws {
        for (number, node) in nodes.enumerated() {
            node.channel.broadcast(.text("here \(number)"), controlExchange: exchange)
            try wait("node \(number)") { node.heard.contains("here \(number)") }
        }
    }

    private func wait(_ what: String, until condition: () -> Bool) throws {
        guard loop.run(until: condition, timeoutSeconds: 15) else { throw TooLate(what: what) }
    }
}
