// From librabbitmq's structures to values of our own. Everything the broker sends passes here.
import CRabbitMQ
import Glibc
import TaskModel

extension amqp_bytes_t {
    var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: len) }

    /// Broken UTF-8 becomes U+FFFD.
    var text: String { String(decoding: raw, as: UTF8.self) }

    /// nil: no UTF-8. The library's own check of it is many times slower than ours of ASCII.
    var validText: String? {
        isASCII ? String(decoding: raw, as: UTF8.self) : String(validating: raw, as: UTF8.self)
    }

    /// Of most messages known, and not made again.
    var headerName: String {
        guard len > 0, let bytes else { return "" }
        let raw = UnsafeBufferPointer(start: bytes.assumingMemoryBound(to: UInt8.self), count: len)
        return HeaderNames.known(raw) ?? text
    }

    var isASCII: Bool {
        let bytes = raw
        var seen: UInt64 = 0
        var offset = 0
        while bytes.count - offset >= 8 {
            seen |= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < bytes.count {
            seen |= UInt64(bytes[offset])
            offset += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}

/// A text that is likely to come again in the same message, as a task's id does: made once.
struct KnownText {
    let text: String
    private let bytes: amqp_bytes_t

    /// - Parameter text: nil: none is known.
    init(_ text: String? = nil, _ bytes: amqp_bytes_t = amqp_empty_bytes) {
        // Broken UTF-8 was replaced in the text; in a header it is passed on as it came.
        let isKnown = text != nil && bytes.isASCII
        self.text = isKnown ? text ?? "" : ""
        self.bytes = isKnown ? bytes : amqp_empty_bytes
    }

    func isText(of other: amqp_bytes_t) -> Bool {
        other.len == bytes.len && bytes.len > 15 && memcmp(other.bytes, bytes.bytes, bytes.len) == 0
    }
}

/// Reads header tables with a bound on their depth: past it the rest is left out and the table gets the key
/// `taskhost-wire-error`, so that the decoder refuses the message with a reason.
struct TableReader {
    static let maxDepth = 8

    private(set) var isTooDeep = false
    /// The correlation id, which Celery's clients make the task's id and its root's.
    let known: KnownText

    static func headers(_ table: amqp_table_t, known: KnownText = KnownText()) -> FieldTable {
        var reader = TableReader(known: known)
        var fields = reader.table(table, depth: 1)
        if reader.isTooDeep {
            fields[OwnHeaders.adapterError] = .string("header table nested deeper than \(maxDepth) levels")
        }
        return fields
    }

    private mutating func table(_ table: amqp_table_t, depth: Int) -> FieldTable {
        guard depth <= Self.maxDepth else {
            isTooDeep = true
            return FieldTable()
        }
        let count = Int(table.num_entries)
        guard count > 0, let entries = table.entries else { return FieldTable() }
        var fields: [FieldTable.Field] = []
        fields.reserveCapacity(count)
        for index in 0..<count {
            fields.append(
                .init(key: entries[index].key.headerName, value: value(entries[index].value, depth: depth)))
        }
        return FieldTable(fields)
    }

    private mutating func array(_ array: amqp_array_t, depth: Int) -> [FieldValue] {
        guard depth <= Self.maxDepth else {
            isTooDeep = true
            return []
        }
        let count = Int(array.num_entries)
        guard count > 0, let entries = array.entries else { return [] }
        var values: [FieldValue] = []
        values.reserveCapacity(count)
        for index in 0..<count { values.append(value(entries[index], depth: depth)) }
        return values
    }

    private mutating func value(_ field: amqp_field_value_t, depth: Int) -> FieldValue {
        let value = field.value
        switch amqp_field_value_kind_t(rawValue: UInt32(field.kind)) {
        case AMQP_FIELD_KIND_UTF8:
            if known.isText(of: value.bytes) { return .string(known.text) }
            return value.bytes.validText.map { .string($0) } ?? .bytes(Array(value.bytes.raw))
        case AMQP_FIELD_KIND_VOID: return .null
        case AMQP_FIELD_KIND_BOOLEAN: return .bool(value.boolean != 0)
        case AMQP_FIELD_KIND_I32: return .int(Int64(value.i32))
        case AMQP_FIELD_KIND_I64, AMQP_FIELD_KIND_U64: return .int(value.i64)
        case AMQP_FIELD_KIND_F64: return .double(value.f64)
        case AMQP_FIELD_KIND_ARRAY: return .array(array(value.array, depth: depth + 1))
        case AMQP_FIELD_KIND_TABLE: return .table(table(value.table, depth: depth + 1))
        case AMQP_FIELD_KIND_I8: return .int(Int64(value.i8))
        case AMQP_FIELD_KIND_U8: return .int(Int64(value.u8))
        case AMQP_FIELD_KIND_I16: return .int(Int64(value.i16))
        case AMQP_FIELD_KIND_U16: return .int(Int64(value.u16))
        case AMQP_FIELD_KIND_U32: return .int(Int64(value.u32))
        case AMQP_FIELD_KIND_F32: return .double(Double(value.f32))
        case AMQP_FIELD_KIND_TIMESTAMP: return .timestamp(value.u64)
        case AMQP_FIELD_KIND_BYTES: return .bytes(Array(value.bytes.raw))
        case AMQP_FIELD_KIND_DECIMAL:
            return .double(Double(value.decimal.value) / pow(10, Double(value.decimal.decimals)))
        default: return .null
        }
    }
}

enum PropertyReader {
    static func message(_ from: amqp_basic_properties_t, body: [UInt8]) -> WireMessage {
        var message = WireMessage(body: body)
        let flags = Int32(bitPattern: from._flags)
        func text(_ flag: Int32, _ bytes: amqp_bytes_t) -> String? { flags & flag == 0 ? nil : common(bytes) }
        message.properties.contentType = text(AMQP_BASIC_CONTENT_TYPE_FLAG, from.content_type)
        message.properties.contentEncoding = text(AMQP_BASIC_CONTENT_ENCODING_FLAG, from.content_encoding)
        message.properties.correlationID = text(AMQP_BASIC_CORRELATION_ID_FLAG, from.correlation_id)
        message.properties.replyTo = text(AMQP_BASIC_REPLY_TO_FLAG, from.reply_to)
        message.properties.expiration = text(AMQP_BASIC_EXPIRATION_FLAG, from.expiration)
        message.properties.messageID = text(AMQP_BASIC_MESSAGE_ID_FLAG, from.message_id)
        message.properties.type = text(AMQP_BASIC_TYPE_FLAG, from.type)
        message.properties.userID = text(AMQP_BASIC_USER_ID_FLAG, from.user_id)
        message.properties.appID = text(AMQP_BASIC_APP_ID_FLAG, from.app_id)
        if flags & AMQP_BASIC_PRIORITY_FLAG != 0 { message.properties.priority = from.priority }
        if flags & AMQP_BASIC_DELIVERY_MODE_FLAG != 0 { message.properties.deliveryMode = from.delivery_mode }
        if flags & AMQP_BASIC_TIMESTAMP_FLAG != 0 { message.properties.timestamp = from.timestamp }
        if flags & AMQP_BASIC_HEADERS_FLAG != 0 {
            message.headers = TableReader.headers(
                from.headers, known: KnownText(message.properties.correlationID, from.correlation_id))
        }
        return message
    }

    private static let json = "application/json"

    private static func common(_ bytes: amqp_bytes_t) -> String {
        if bytes.len == json.utf8.count, bytes.raw.elementsEqual(json.utf8) { return json }
        return bytes.text
    }
}
