// What a stock Celery sent, stored and printed (Fixtures/capture.py), against what we make of the same.
import CeleryWire
import Foundation
import TaskModel
import TaskhostJSON
import Testing

@Suite("Captures of a stock Celery")
struct GoldenTests {
    static func cases(_ name: String) throws -> [JSON] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).json")
        let fixture = try JSON(parsing: [UInt8](Data(contentsOf: file)), limits: .trusted)
        return try #require(fixture["cases"]?.elements)
    }

    static func wire(_ message: JSON) throws -> WireMessage {
        var properties = MessageProperties()
        properties.contentType = message["content_type"]?.text
        properties.contentEncoding = message["content_encoding"]?.text
        properties.correlationID = message["properties"]?["correlation_id"]?.text
        properties.replyTo = message["properties"]?["reply_to"]?.text
        properties.priority = message["properties"]?["priority"]?.integer.map(UInt8.init)
        properties.deliveryMode = 2
        properties.expiration = message["properties"]?["expiration"]?.text
        let body = try #require(message["body"]?.text)
        return WireMessage(
            properties: properties, headers: fields(message["headers"] ?? nil), body: Array(body.utf8))
    }

    static func fields(_ object: JSON) -> FieldTable {
        FieldTable((object.members ?? []).map { FieldTable.Field(key: $0.key, value: field($0.value)) })
    }

    static func field(_ value: JSON) -> FieldValue {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .bigInteger(let digits): .string(digits)
        case .double(let number): .double(number)
        case .string(let text), .surrogates(let text): .string(text)
        case .array(let elements): .array(elements.map(field))
        case .object: .table(fields(value))
        }
    }

    @Test("each message it sends is understood", arguments: try cases("messages"))
    func messages(_ golden: JSON) throws {
        let wire = try Self.wire(try #require(golden["message"]))
        let expected = try #require(golden["expected"])
        let message = try MessageDecoder().decode(delivery(wire), now: noon)
        func agree(_ key: String, _ actual: JSON) {
            if let value = expected[key] { #expect(actual == value, "\(golden["name"]?.text ?? ""): \(key)") }
        }
        func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
        func seconds(_ value: Double?) -> JSON {
            value.map { $0 == $0.rounded() ? .int(Int64($0)) : .double($0) } ?? .null
        }
        agree("id", .string(message.id))
        agree("name", .string(message.name))
        agree("args", try JSON(parsing: message.body[message.argsRange]))
        agree("kwargs", try JSON(parsing: message.body[message.kwargsRange]))
        agree("root", optional(message.rootID))
        agree("parent", optional(message.parentID))
        agree("group", optional(message.groupID))
        agree("group_index", message.groupIndex.map { .int(Int64($0)) } ?? .null)
        agree("shadow", optional(message.shadow))
        agree("eta", optional(message.eta.map(ISO8601.format)))
        agree("has_eta", .bool(message.eta != nil))
        agree("expires", optional(message.expires.map(ISO8601.format)))
        agree("hard", seconds(message.hardLimit))
        agree("soft", seconds(message.softLimit))
        agree("retries", .int(Int64(message.retries)))
        agree("ignore", message.ignoreResult.map(JSON.bool) ?? .null)
        agree("priority", .int(Int64(message.priority)))
        agree("argsrepr", .string(message.argsRepr))
        agree("kwargsrepr", .string(message.kwargsRepr))
        agree("continues", .bool(message.hasContinuations))
        agree("protocol", .int(Int64(message.protocolVersion)))
        agree("stamps", try JSON(parsing: HeadersJSON.bytes(message.stamps)))
        #expect(message.replyTo == wire.properties.replyTo)
        #expect(message.correlationID == wire.properties.correlationID)
        #expect(try JSON(parsing: message.body).elements?.count == 3)
    }

    @Test("its notation of values is ours")
    func reprs() throws {
        for golden in try Self.cases("reprs") {
            let value = try #require(golden["value"])
            let expected = try #require(golden["repr"]?.text)
            let length = golden["max"]?.integer.map { Int($0) } ?? 1024
            let actual =
                golden["tuple"] == true
                ? PythonRepr.callRepr(args: value.elements ?? [], kwargs: []).args
                : PythonRepr.repr(value, maxLength: length)
            #expect(actual == expected)
        }
    }

    @Test("the times it understands are the same to us")
    func times() throws {
        for golden in try Self.cases("times") {
            let text = try #require(golden["text"]?.text)
            #expect(ISO8601.parse(text)?.microseconds == golden["microseconds"]?.integer, "\(text)")
        }
    }

    @Test("the results it stores are what we store", arguments: try cases("metas"))
    func metas(_ golden: JSON) throws {
        let name = try #require(golden["name"]?.text)
        let expected = try JSON(parsing: try #require(golden["text"]?.text))
        var message = TaskMessage(id: "U1", name: "demo.add")
        message.body = Array("[[2, 3],{},{}]".utf8)
        (message.argsRange, message.kwargsRange, message.embedRange) = (1..<7, 8..<10, 11..<13)
        message.retries = 1
        message.groupID = golden["request"]?["group"]?.text
        message.parentID = golden["request"]?["parent_id"]?.text
        message.stampedHeaders = golden["request"]?["stamped_headers"]?.elements?.compactMap(\.text)
        message.stamps = Self.fields(golden["request"]?["stamps"] ?? nil)
        let actual = try JSON(parsing: try #require(Self.meta(name, message)))
        #expect(actual == expected)
    }

    private static func meta(_ name: String, _ message: TaskMessage) -> [UInt8]? {
        let fields = name.hasPrefix("extended") ? ExtendedFields(worker: "w@h", queue: "q") : nil
        func failed(_ failure: TaskFailure) -> [UInt8] {
            ResultMeta.failure(of: message, failure: failure, at: noon, extended: fields)
        }
        func failure(_ type: String, _ arguments: String, _ traceback: String) -> TaskFailure {
            TaskFailure(type: type, module: "builtins", arguments: Array(arguments.utf8), traceback: traceback)
        }
        switch name {
        case "success", "extended", "extended with stamps":
            return ResultMeta.success(of: message, result: Array("5".utf8), at: noon, extended: fields)
        case "success in a group":
            return ResultMeta.success(of: message, result: Array(#"[1.0, null, "é"]"#.utf8), at: noon, extended: fields)
        case "failure": return failed(failure("ValueError", #"["bad",7]"#, "Traceback …"))
        case "retry":
            return ResultMeta.retry(of: message, cause: failure("KeyError", #"["nope"]"#, "tb"), extended: fields)
        case "retry without cause": return ResultMeta.retry(of: message, cause: nil, extended: fields)
        case "started": return ResultMeta.started(of: message, pid: 7, hostname: "w@h", extended: fields)
        case "custom":
            return ResultMeta.custom(
                of: message, state: "PROGRESS", meta: Array(#"{"done":1,"total":3}"#.utf8), extended: fields)
        case "expired": return ResultMeta.revoked(of: message, reason: "expired", at: noon, extended: fields)
        case "unregistered": return ResultMeta.notRegistered(of: message, at: noon, extended: fields)
        case "hard limit": return failed(CeleryFailure.timeLimitExceeded(1))
        case "worker lost": return failed(CeleryFailure.workerLost(Death(cause: .signal(9)), job: 5))
        case "rejected": return failed(CeleryFailure.reject(reason: "no", requeue: false))
        default: return nil
        }
    }
}
