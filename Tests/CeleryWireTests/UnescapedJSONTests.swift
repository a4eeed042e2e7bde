// What a child is told of its message is the same whether it is written in one go or with escapes.
import TaskModel
import TaskhostJSON
import Testing

@testable import CeleryWire

@Suite("Headers and properties as JSON")
struct UnescapedJSONTests {
    /// One that needs an escape, or none, at every place of texts of every length up to two words and a half.
    private static let texts: [String] = (0...20).flatMap { length in
        let plain = String(repeating: "x", count: length)
        return [plain]
            + ["\"", "\\", "\n", "\u{7F}", "~", " ", "é", "😀"].flatMap { odd in
                (0..<length).map { plain.prefix($0) + odd + plain.dropFirst($0 + 1) }
            }
    }

    @Test("a header is read as it was, whatever is in it")
    func headers() throws {
        for text in Self.texts {
            let table: FieldTable = [
                "id": .string(text), text: .null, "n": .array([.int(-1), .int(.max), .int(.min), .bool(true)]),
                "t": .table(["deep": .string(text)]),
            ]
            #expect(try JSON(parsing: HeadersJSON.bytes(table)) == JSON(.table(table)), "\(text)")
        }
    }

    @Test("so are values that have more than one form")
    func forms() throws {
        let table: FieldTable = ["a": .double(1.5), "b": .timestamp(0), "c": .string("x")]
        let json = try JSON(parsing: HeadersJSON.bytes(table))
        #expect(json["a"] == .double(1.5) && json["b"]?["__type__"] == "datetime" && json["c"] == "x")
    }

    @Test("properties are read as they were")
    func properties() throws {
        for text in Self.texts {
            var message = WireMessage(body: [])
            message.properties.contentType = "application/json"
            message.properties.correlationID = text
            message.properties.priority = 9
            message.properties.timestamp = .max
            let json = try JSON(
                parsing: PropertiesJSON.bytes(
                    Delivery(
                        tag: DeliveryTag(link: 1, number: 1), queue: "q", exchange: "", routingKey: text,
                        redelivered: true, message: message)))
            let info: JSON = ["exchange": "", "routing_key": .string(text), "priority": 9, "redelivered": true]
            #expect(json["correlation_id"]?.text == text && json["delivery_info"] == info, "\(text)")
            #expect(json["priority"] == 9 && json["timestamp"] == .int(.max) && json["app_id"] == nil)
        }
    }
}
