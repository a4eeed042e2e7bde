// What stands in a BSON document (bsonspec.org, version 1.1).
import TaskModel
import TaskhostJSON

enum BSONValue: Sendable {
    case null
    case text(String)
    case binary([UInt8])
    /// Milliseconds since 1970.
    case date(Int64)
    case other(JSON)

    var string: String? { if case .text(let text) = self { text } else { nil } }

    /// Dates and bytes, which JSON has not got, as numbers and text.
    var json: JSON {
        switch self {
        case .null: .null
        case .text(let text): .string(text)
        case .binary(let bytes): .string(String(decoding: bytes, as: UTF8.self))
        case .date(let milliseconds): .int(milliseconds)
        case .other(let value): value
        }
    }
}

/// Reads a document that a server sent; never beyond its end.
struct BSONReader {
    typealias Member = (key: String, value: BSONValue)

    /// It is no document.
    private struct Broken: Error {}

    private let bytes: [UInt8]
    private var place = 0

    /// Of documents within documents, as servers have it.
    private static let maxDepth = 128

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// In their order; what JSON has no way to say is left out. Of what is no document: none.
    static func members(of bytes: [UInt8]) -> [Member] {
        var reader = BSONReader(bytes)
        do throws(Broken) {
            return try reader.document(depth: 0)
        } catch {
            return []
        }
    }

    private mutating func document(depth: Int) throws(Broken) -> [Member] {
        let end = place + Int(try number(Int32.self))
        guard depth < Self.maxDepth, end <= bytes.count, end > place else { throw Broken() }
        var found: [Member] = []
        while true {
            let kind = try number(UInt8.self)
            guard kind != 0 else { break }
            let key = try name()
            if let value = try value(kind, depth) { found.append((key, value)) }
        }
        guard place == end else { throw Broken() }
        return found
    }

    private mutating func value(_ kind: UInt8, _ depth: Int) throws(Broken) -> BSONValue? {
        switch kind {
        case 0x01: return .other(.double(Double(bitPattern: try number(UInt64.self))))
        // Text, code, symbol.
        case 0x02, 0x0D, 0x0E: return .text(try text())
        case 0x03:
            return .other(.object(try document(depth: depth + 1).map { JSONMember(key: $0.key, value: $0.value.json) }))
        case 0x04: return .other(.array(try document(depth: depth + 1).map(\.value.json)))
        case 0x05:
            let length = Int(try number(Int32.self))
            _ = try number(UInt8.self)
            return .binary(Array(try take(length)))
        // Undefined, null.
        case 0x06, 0x0A: return .null
        case 0x08: return .other(.bool(try number(UInt8.self) != 0))
        case 0x09: return .date(try number(Int64.self))
        case 0x10: return .other(.int(Int64(try number(Int32.self))))
        case 0x12: return .other(.int(try number(Int64.self)))
        // ObjectId, timestamp, decimal, regular expression, least and greatest key.
        case 0x07: _ = try take(12)
        case 0x11: _ = try take(8)
        case 0x13: _ = try take(16)
        case 0x0B:
            _ = try name()
            _ = try name()
        case 0x7F, 0xFF: break
        default: throw Broken()
        }
        return nil
    }

    private mutating func text() throws(Broken) -> String {
        let length = Int(try number(Int32.self))
        guard length > 0 else { throw Broken() }
        return String(decoding: try take(length).dropLast(), as: UTF8.self)
    }

    private mutating func name() throws(Broken) -> String {
        guard let end = bytes[place...].firstIndex(of: 0) else { throw Broken() }
        defer { place = end + 1 }
        return String(decoding: bytes[place..<end], as: UTF8.self)
    }

    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(Broken) -> Number {
        let slice = try take(MemoryLayout<Number>.size)
        return slice.reversed().reduce(0) { ($0 << 8) | Number(truncatingIfNeeded: $1) }
    }

    private mutating func take(_ count: Int) throws(Broken) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - place else { throw Broken() }
        defer { place += count }
        return bytes[place..<(place + count)]
    }
}
