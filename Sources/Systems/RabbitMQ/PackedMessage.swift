// A message in one piece of memory: as a table of texts it takes four times as much, and thousands are remembered.
import TaskModel

/// Held by this process alone, so its layout may change: numbers with seven bits a byte, texts and lists behind their
/// lengths, values behind a byte for their kind.
struct PackedMessage {
    private let bytes: [UInt8]

    var count: Int { bytes.count }

    init(_ message: WireMessage) {
        var packer = Packer()
        packer.put(message.headers)
        packer.put(message.properties)
        packer.put(message.body)
        // A copy is as long as it has to be; what has grown has room to grow.
        bytes = packer.bytes.withUnsafeBytes { Array($0) }
    }

    var message: WireMessage {
        var reader = Unpacker(bytes: bytes)
        let headers = reader.table()
        let properties = reader.properties()
        return WireMessage(properties: properties, headers: headers, body: reader.raw())
    }
}

private enum Kind: UInt8 {
    case null, no, yes, int, double, string, bytes, timestamp, array, table
}

private struct Packer {
    var bytes: [UInt8] = []

    mutating func put(_ number: UInt64) {
        var rest = number
        while rest > 127 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func put(_ raw: [UInt8]) {
        put(UInt64(raw.count))
        bytes.append(contentsOf: raw)
    }

    mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func put(_ kind: Kind) { bytes.append(kind.rawValue) }

    mutating func put(_ table: FieldTable) {
        put(UInt64(table.fields.count))
        for field in table.fields {
            put(field.key)
            put(field.value)
        }
    }

    private mutating func put(_ value: FieldValue) {
        switch value {
        case .null: put(Kind.null)
        case .bool(let isTrue): put(isTrue ? Kind.yes : Kind.no)
        case .int(let number):
            put(Kind.int)
            put(UInt64(bitPattern: number))
        case .double(let number):
            put(Kind.double)
            put(number.bitPattern)
        case .string(let text):
            put(Kind.string)
            put(text)
        case .bytes(let raw):
            put(Kind.bytes)
            put(raw)
        case .timestamp(let seconds):
            put(Kind.timestamp)
            put(seconds)
        case .array(let values):
            put(Kind.array)
            put(UInt64(values.count))
            for value in values { put(value) }
        case .table(let table):
            put(Kind.table)
            put(table)
        }
    }

    private mutating func put(_ text: String?) { put(text.map(FieldValue.string) ?? .null) }

    mutating func put(_ properties: MessageProperties) {
        for text in PropertyTexts.all { put(properties[keyPath: text]) }
        for number in PropertyTexts.bytes { put(properties[keyPath: number].map { .int(Int64($0)) } ?? .null) }
        put(properties.timestamp.map(FieldValue.timestamp) ?? .null)
    }
}

private enum PropertyTexts {
    static var all: [WritableKeyPath<MessageProperties, String?>] {
        [
            \.contentType, \.contentEncoding, \.correlationID, \.replyTo, \.expiration, \.messageID, \.type, \.userID,
            \.appID,
        ]
    }
    static var bytes: [WritableKeyPath<MessageProperties, UInt8?>] { [\.priority, \.deliveryMode] }
}

/// What it reads was written above, so nothing is checked twice.
private struct Unpacker {
    let bytes: [UInt8]
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func number() -> UInt64 {
        var (result, shift) = (UInt64(0), UInt64(0))
        while true {
            let byte = bytes[at]
            at += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
    }

    private mutating func slice() -> ArraySlice<UInt8> {
        let count = Int(number())
        defer { at += count }
        return bytes[at..<at + count]
    }

    mutating func raw() -> [UInt8] { Array(slice()) }

    private mutating func text() -> String { String(decoding: slice(), as: UTF8.self) }

    mutating func table() -> FieldTable {
        FieldTable((0..<number()).map { _ in FieldTable.Field(key: text(), value: value()) })
    }

    private mutating func value() -> FieldValue {
        let kind = Kind(rawValue: bytes[at])
        at += 1
        switch kind {
        case .no: return .bool(false)
        case .yes: return .bool(true)
        case .int: return .int(Int64(bitPattern: number()))
        case .double: return .double(Double(bitPattern: number()))
        case .string: return .string(text())
        case .bytes: return .bytes(raw())
        case .timestamp: return .timestamp(number())
        case .array: return .array((0..<number()).map { _ in value() })
        case .table: return .table(table())
        case .null, nil: return .null
        }
    }

    mutating func properties() -> MessageProperties {
        var properties = MessageProperties()
        for text in PropertyTexts.all { properties[keyPath: text] = value().text }
        for number in PropertyTexts.bytes {
            if case .int(let byte) = value() { properties[keyPath: number] = UInt8(truncatingIfNeeded: byte) }
        }
        if case .timestamp(let seconds) = value() { properties.timestamp = seconds }
        return properties
    }
}
