// What a stock Kombu wrote (Fixtures/capture.py), read; and what we write, read again.
import CeleryWire
import TaskModel
import TaskhostJSON
import Testing

@testable import WireFormats

@Suite("Captures of a stock Kombu")
struct CaptureTests {
    @Test("the fixtures are there: three serializers, each plain and by five compressions")
    func complete() {
        #expect(Captured.all.count == 23)
        for type in [ContentType.json, .yaml, .msgpack] {
            #expect(Set(Captured.all.filter { $0.type == type }.compactMap(\.compression)).count == 5)
        }
    }

    @Test("a body of any serializer and compression holds what Python put in", arguments: Captured.all)
    func reading(_ captured: Captured) throws {
        #expect(try read(captured.body, captured.type, captured.compression) == captured.json)
    }

    @Test("what is written in any serializer and compression reads back the same", arguments: Captured.all)
    func writing(_ captured: Captured) throws {
        let body = try formats.body(from: captured.json.bytes, captured.type, captured.compression)
        #expect(try read(body, captured.type, captured.compression) == captured.json)
    }

    @Test("a message of any serializer and compression becomes a task", arguments: Captured.all)
    func decoding(_ captured: Captured) throws {
        var wire = WireMessage(headers: ["task": .string("t"), "id": .string("i")], body: captured.body)
        wire.properties.contentType = captured.type.mimeType
        wire.properties.contentEncoding = captured.type.encoding
        wire.headers["compression"] = captured.compression.map { .string($0.mimeType) } ?? .null
        let decoder = MessageDecoder(accept: ["json", "yaml", "msgpack"], formats: formats)
        let message = try decoder.decode(delivery(wire), now: noon)
        #expect(message.contentType == captured.type)
        #expect(message.compression == captured.compression)
        #expect(parsed(Array(message.body[message.argsRange])) == captured.json.elements?[0])
        let again = Republication.retry(delivery(wire), message, eta: noon, retries: 1, now: noon)
        #expect(again.body == wire.body)
        #expect(again.headers["compression"]?.text == captured.compression?.mimeType)
    }

    @Test("a message made here takes the serializer and compression it is told")
    func encoding() throws {
        let plain = TaskCall("t", args: [1, "x"]).message(replyTo: nil, origin: "o", now: noon)
        let packed = try plain.encoded(as: .msgpack, .zstd, by: formats)
        #expect(packed.properties.contentType == "application/x-msgpack")
        #expect(packed.properties.contentEncoding == "binary")
        #expect(packed.headers["compression"]?.text == "application/zstd")
        #expect(try read(packed.body, .msgpack, .zstd) == parsed(plain.body))
        #expect(try packed.encoded(as: .yaml, nil, by: formats) == packed)
        #expect(try plain.encoded(as: .json, nil, by: formats) == plain)
    }

    @Test("pickle is refused even where it is accepted, and the refusal says what to do")
    func pickle() throws {
        var wire = WireMessage(headers: ["task": .string("t"), "id": .string("i")], body: [0x80, 4, 0x4B, 1, 0x2E])
        wire.properties.contentType = "application/x-python-serialize"
        let decoder = MessageDecoder(accept: ["json", "pickle"], formats: formats)
        let error = try #require(throws: WireError.self) { try decoder.decode(delivery(wire), now: noon) }
        #expect(error.code == .refusedContentType)
        #expect(error.detail.contains("pickle") && error.detail.contains("task_serializer = 'json'"))
    }

    private func delivery(_ wire: WireMessage) -> Delivery {
        Delivery(
            tag: DeliveryTag(link: 1, number: 1), queue: "q", exchange: "", routingKey: "q", redelivered: false,
            message: wire)
    }
}
