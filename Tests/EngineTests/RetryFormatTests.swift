// A retry goes out in the format its client chose, also when the task changed its arguments.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

/// A format that shows itself: "M" before the JSON text.
private struct Marked: BodyFormats {
    var isMute = false

    func json(
        from body: [UInt8], _ type: ContentType, _ compression: Compression?, limits: WireLimits, now: WallTime
    ) throws(WireError) -> [UInt8] { type == .msgpack ? Array(body.dropFirst()) : body }

    func body(
        from json: [UInt8], _ type: ContentType, _ compression: Compression?
    ) throws(WireError) -> [UInt8] {
        if isMute { throw WireError(refusing: type) }
        return type == .msgpack ? Array("M".utf8) + json : json
    }
}

@Suite("Formats of retries")
struct RetryFormatTests {
    private func retried(by formats: Marked) throws -> WireMessage {
        var options = EngineOptions.usual(
            slots: 1, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "n@test")
        options.formats = formats
        options.acceptContent = ["json", "msgpack"]
        let manifest = TaskManifest(index: 0, name: "t", parameters: [], result: nil, options: TaskOptions())
        var core = EngineCore(
            options: options,
            catalog: EngineCore.Catalog(
                task: { _ in manifest }, pipeline: { _ in PipelineRoom(behind: 0, room: 0) }),
            hasStore: false, keepsResults: false, joinsChords: false, notesTasks: false, makeID: { "new" })
        let clocks = Clocks(monotonic: Instant(nanoseconds: 0), wall: WallTime(microseconds: 1_800_000_000_000_000))
        var properties = MessageProperties()
        properties.contentType = ContentType.msgpack.mimeType
        let message = WireMessage(
            properties: properties, headers: ["task": .string("t"), "id": .string("a")],
            body: Array("M[[1],{},{}]".utf8))
        let delivery = Delivery(
            tag: DeliveryTag(link: 1, number: 1), queue: "q", exchange: "", routingKey: "q", redelivered: false,
            message: message)
        var actions: [EngineAction] = []
        core.handle(.linkUp, at: clocks, into: &actions)
        core.handle(.delivered(delivery), at: clocks, into: &actions)
        var run: RunID?
        for case .start(let request) in actions { run = request.run }
        actions.removeAll()
        let asked = RetryRequest(countdown: 1, arguments: Array("[2]".utf8))
        core.handle(
            .finished(try #require(run), RunReport(outcome: .retry(asked))), at: clocks, into: &actions)
        var sent: WireMessage?
        for case .publish(let publication, _) in actions { sent = publication.message }
        return try #require(sent)
    }

    @Test("a retry with other arguments keeps the serializer of its message")
    func keepsFormat() throws {
        let again = try retried(by: Marked())
        #expect(again.properties.contentType == "application/x-msgpack")
        #expect(again.body.first == UInt8(ascii: "M"))
        #expect(String(decoding: again.body, as: UTF8.self).contains("[2]"))
    }

    @Test("arguments that the format has no way to say go out as JSON instead of being lost")
    func fallsBack() throws {
        let again = try retried(by: Marked(isMute: true))
        #expect(again.properties.contentType == "application/json")
        #expect(again.body.starts(with: Array("[[2]".utf8)))
    }
}
