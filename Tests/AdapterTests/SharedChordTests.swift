// One chord shared with a stock Python worker, over Redis as broker and as result store.
import Foundation
import Loop
import Ports
import Redis
import TaskModel
import TaskhostJSON
import TestKit
import Testing

@Suite("A chord shared with a Python worker", .serialized)
struct SharedChordTests {
    private let loop: EpollLoop
    private let python: PythonScript
    private let broker: BrokerClient
    private let client: StoreClient
    private let suffix = UUID().uuidString.prefix(8).lowercased()

    init() throws {
        loop = try EpollLoop()
        let address = try RedisAddress(url: Servers.redis())
        python = try PythonScript("chord.py", [Servers.redis(), suffix])
        broker = BrokerClient(RedisBroker(address: address, loop: loop), loop)
        client = StoreClient(RedisResults(address: address, loop: loop), nil, loop)
        broker.broker.connect(events: broker)
        client.connect()
    }

    @Test("we report first, the Python worker completes it and publishes the body")
    func pythonCompletes() throws {
        _ = try python.ask("send")
        let (chord, id, _) = try takeMember()
        try store(id)
        try chord.expectWaiting(chord.report(id, 2, "6"))
        #expect(try python.ask("start") == "started")
        #expect(try python.ask("result") == "12")
        try close()
    }

    @Test("the Python worker reports first, we complete it and publish the body")
    func weComplete() throws {
        let body = try python.ask("send")
        let (chord, id, embed) = try takeMember()
        #expect(try python.ask("work") == "two")
        try store(id)
        let (claim, parts) = try chord.expectComplete(chord.report(id, 2, "6"))
        let values = try parts.map { try #require(JSON(parsing: $0)[3]) }
        #expect(values == [.int(2), .int(4), .int(6)])
        #expect(embed["chord"]?["options"]?["task_id"]?.text == body)

        #expect(try chord.keep(claim))
        var message = WireMessage.text("[[[2, 4, 6]], {}, {}]", id: body)
        message.properties.contentType = "application/json"
        message.properties.contentEncoding = "utf-8"
        message.headers["task"] = .string("interop.total")
        try broker.publish([
            Publication(destination: .queue(QueueDeclaration(name: "python-\(suffix)")), message: message)
        ])
        try chord.finish(claim)
        #expect(try python.ask("result") == "12")
        try close()
    }

    @Test("we claim a complete chord and die: a Python worker that runs our member again publishes the body")
    func weDieWithTheClaim() throws {
        _ = try python.ask("send")
        let (chord, id, _) = try takeMember()
        #expect(try python.ask("work") == "two")
        try store(id)
        let (claim, _) = try chord.expectComplete(chord.report(id, 2, "6"))
        // Our acknowledgement was never sent: the message comes again, to another.
        try broker.publish([
            Publication(
                destination: .queue(QueueDeclaration(name: "python-\(suffix)")), message: broker.deliveries[0].message)
        ])
        #expect(try python.ask("result") == "12")
        #expect(try !chord.keep(claim))
        try close()
    }

    /// The native member, as the Python client sent it.
    private func takeMember() throws -> (ChordClient, id: String, embed: JSON) {
        broker.consume(QueueDeclaration(name: "native-\(suffix)"), credit: 1)
        let delivery = try broker.receive(1)[0]
        let headers = delivery.message.headers
        #expect(headers["task"] == .string("interop.double"))
        #expect(headers["group_index"] == .int(2))
        let body = try JSON(parsing: delivery.message.text)
        #expect(body[0] == .array([.int(3)]))
        broker.broker.acknowledge(delivery.tag)
        let chord = try ChordClient(client, try #require(headers["group"]?.text))
        return (chord, try #require(headers["id"]?.text), try #require(body[2]))
    }

    private func store(_ id: String) throws {
        let meta =
            #"{"status": "SUCCESS", "result": 6, "traceback": null, "children": [], "date_done": null, "#
            + #""task_id": "\#(id)"}"#
        try client.put([
            ResultRecord(
                taskID: id, state: .success, meta: [UInt8](meta.utf8), replyTo: nil, correlationID: id,
                expiresAfterSeconds: 60)
        ])
    }

    private func close() throws {
        try python.end()
        try broker.close()
        try client.close()
    }
}

extension JSON {
    fileprivate subscript(index: Int) -> JSON? { elements.flatMap { index < $0.count ? $0[index] : nil } }
}
