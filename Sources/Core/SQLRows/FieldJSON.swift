// A message's headers and properties as columns of JSON text: readable in a database's shell, and nothing is lost on the way.
public import TaskModel
import TaskhostJSON

/// What JSON has no word for is an object with one key: `{"$bytes": base64}`, `{"$timestamp": seconds}`. A table
/// that happens to look like one of these is wrapped as `{"$table": {…}}`.
public enum FieldJSON {
    /// Somebody else wrote it, or a part of it.
    public struct Unreadable: Error, Sendable {
        public var detail: String
    }

    public static func text(_ table: FieldTable) -> String { text(object(table)) }

    public static func text(_ properties: MessageProperties) -> String {
        var members: [JSONMember] = []
        func add(_ key: String, _ value: JSON?) {
            if let value { members.append(JSONMember(key: key, value: value)) }
        }
        add("content_type", properties.contentType.map(JSON.string))
        add("content_encoding", properties.contentEncoding.map(JSON.string))
        add("correlation_id", properties.correlationID.map(JSON.string))
        add("reply_to", properties.replyTo.map(JSON.string))
        add("priority", properties.priority.map { .int(Int64($0)) })
        add("delivery_mode", properties.deliveryMode.map { .int(Int64($0)) })
        add("expiration", properties.expiration.map(JSON.string))
        add("message_id", properties.messageID.map(JSON.string))
        add("timestamp", properties.timestamp.map { .string(String($0)) })
        add("type", properties.type.map(JSON.string))
        add("user_id", properties.userID.map(JSON.string))
        add("app_id", properties.appID.map(JSON.string))
        return text(.object(members))
    }

    public static func table(_ text: String) throws(Unreadable) -> FieldTable { try table(Array(text.utf8)) }

    private static func table(_ text: [UInt8]) throws(Unreadable) -> FieldTable {
        guard case .object(let members) = try parse(text) else { throw unreadable("headers are no object") }
        return try table(members)
    }

    public static func properties(_ text: String) throws(Unreadable) -> MessageProperties {
        try properties(Array(text.utf8))
    }

    private static func properties(_ text: [UInt8]) throws(Unreadable) -> MessageProperties {
        guard case .object(let members) = try parse(text) else { throw unreadable("properties are no object") }
        var properties = MessageProperties()
        for member in members {
            let value = member.value
            switch member.key {
            case "content_type": properties.contentType = value.text
            case "content_encoding": properties.contentEncoding = value.text
            case "correlation_id": properties.correlationID = value.text
            case "reply_to": properties.replyTo = value.text
            case "priority": properties.priority = value.integer.map { UInt8(clamping: $0) }
            case "delivery_mode": properties.deliveryMode = value.integer.map { UInt8(clamping: $0) }
            case "expiration": properties.expiration = value.text
            case "message_id": properties.messageID = value.text
            case "timestamp": properties.timestamp = value.text.flatMap { UInt64($0) }
            case "type": properties.type = value.text
            case "user_id": properties.userID = value.text
            case "app_id": properties.appID = value.text
            default: throw unreadable("unknown property \(member.key)")
            }
        }
        return properties
    }

    /// A row that cannot be read (somebody wrote into it) hides none after it: it is a message, marked so that it is
    /// refused like any malformed one.
    public static func message(properties: String, headers: String, body: [UInt8]) -> WireMessage {
        message(properties: Array(properties.utf8), headers: Array(headers.utf8), body: body)
    }

    /// The same, of texts as UTF-8.
    public static func message(properties: [UInt8], headers: [UInt8], body: [UInt8]) -> WireMessage {
        do throws(Unreadable) {
            return WireMessage(properties: try self.properties(properties), headers: try table(headers), body: body)
        } catch {
            return WireMessage(headers: [OwnHeaders.adapterError: .string(error.detail)], body: body)
        }
    }

    private static func text(_ value: JSON) -> String {
        var bytes: [UInt8] = []
        value.write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func parse(_ text: [UInt8]) throws(Unreadable) -> JSON {
        do {
            return try JSON(parsing: text, limits: .trusted)
        } catch {
            throw unreadable("\(error)")
        }
    }

    private static func unreadable(_ reason: String) -> Unreadable {
        Unreadable(detail: "A stored message cannot be read: \(reason)")
    }
}

extension FieldJSON {
    private static func object(_ table: FieldTable) -> JSON {
        .object(table.fields.map { JSONMember(key: $0.key, value: json($0.value)) })
    }

    private static func json(_ value: FieldValue) -> JSON {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .bytes(let value): marked("$bytes", .string(Base64.encode(value)))
        // As text: the whole range of UInt64 is legal.
        case .timestamp(let value): marked("$timestamp", .string(String(value)))
        case .array(let values): .array(values.map(json))
        case .table(let table):
            table.fields.count == 1 && table.fields[0].key.hasPrefix("$")
                ? marked("$table", object(table)) : object(table)
        }
    }

    private static func marked(_ mark: String, _ value: JSON) -> JSON {
        .object([JSONMember(key: mark, value: value)])
    }

    private static func table(_ members: [JSONMember]) throws(Unreadable) -> FieldTable {
        var table = FieldTable()
        table.fields.reserveCapacity(members.count)
        for member in members {
            table.fields.append(FieldTable.Field(key: member.key, value: try field(member.value)))
        }
        return table
    }

    private static func field(_ value: JSON) throws(Unreadable) -> FieldValue {
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .bigInteger(let digits): return .string(digits)
        case .double(let value): return .double(value)
        case .string(let value), .surrogates(let value): return .string(value)
        case .array(let values):
            var fields: [FieldValue] = []
            for value in values { fields.append(try field(value)) }
            return .array(fields)
        case .object(let members):
            guard members.count == 1, members[0].key.hasPrefix("$") else { return .table(try table(members)) }
            return try unmarked(members[0])
        }
    }

    private static func unmarked(_ member: JSONMember) throws(Unreadable) -> FieldValue {
        switch (member.key, member.value) {
        case ("$bytes", .string(let text)):
            if let bytes = Base64.decode(text) { return .bytes(bytes) }
        case ("$timestamp", .string(let text)):
            if let seconds = UInt64(text) { return .timestamp(seconds) }
        case ("$table", .object(let members)):
            return .table(try table(members))
        default:
            break
        }
        throw unreadable("unknown mark \(member.key)")
    }
}
