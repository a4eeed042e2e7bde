// A text read value by value, without a tree: for texts whose members are known, as the envelopes of messages are.
internal import Glibc

/// Reads one value after the other, as strictly as the parser does and with the same limits.
///
/// Within `object` each member's value must be read exactly once, by any of the methods below.
public struct JSONReader {
    private var parser: JSONParser
    /// Containers around the next value.
    private var depth = 0

    /// - Parameter bytes: must stay where they are as long as this, and the texts that it gives, are used.
    public init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .wire) {
        parser = JSONParser(cursor: JSONCursor(bytes, limits: limits))
    }

    /// A string as it is written, without its quotes.
    public struct Text {
        /// With escapes, if it has any; always well-formed UTF-8.
        public let raw: UnsafeBufferPointer<UInt8>
        public let hasEscapes: Bool

        /// Whether it is this text.
        public func isEqual(to text: StaticString) -> Bool {
            guard !hasEscapes else { return wholeString == "\(text)" }
            guard raw.count == text.utf8CodeUnitCount else { return false }
            for index in 0..<raw.count where raw[index] != text.utf8Start[index] { return false }
            return true
        }

        /// Whether it has the same bytes.
        public func isEqual(to text: String) -> Bool {
            guard !hasEscapes else { return wholeString.map { text.isSameBytes(as: $0) } ?? false }
            guard text.utf8.count == raw.count else { return false }
            let same = text.utf8.withContiguousStorageIfAvailable {
                $0.isEmpty || memcmp($0.baseAddress.unsafelyUnwrapped, raw.baseAddress.unsafelyUnwrapped, $0.count) == 0
            }
            return same ?? text.utf8.elementsEqual(raw)
        }

        /// What it means; what has halves of surrogate pairs as it is written.
        public var string: String {
            let written = String(decoding: raw, as: UTF8.self)
            return hasEscapes ? JSONEscapes.decode(raw) ?? written : written
        }

        /// nil: it has halves of surrogate pairs, which no Swift text can hold.
        public var wholeString: String? { hasEscapes ? JSONEscapes.decode(raw) : String(decoding: raw, as: UTF8.self) }
    }

    /// The value as a string; nil: it is none, and has been read past.
    public mutating func text() throws(JSONError) -> Text? {
        guard begins(with: UInt8(ascii: "\"")) else {
            try skip()
            return nil
        }
        try parser.cursor.countNode()
        let start = parser.cursor.offset
        let (raw, hasEscapes) = try parser.rawString()
        if hasEscapes, !parser.cursor.keepsSurrogates, JSONEscapes.decode(raw) == nil {
            throw JSONError(.loneSurrogate, at: start)
        }
        return Text(raw: raw, hasEscapes: hasEscapes)
    }

    /// Reads an object's members in the order of the text; duplicate keys come each time.
    /// - Returns: false: it is no object, and has been read past.
    @discardableResult
    public mutating func object(
        _ take: (inout JSONReader, Text) throws(JSONError) -> Void
    ) throws(JSONError) -> Bool {
        guard begins(with: UInt8(ascii: "{")) else {
            try skip()
            return false
        }
        try parser.cursor.countNode()
        guard depth < parser.cursor.maxDepth else { throw parser.cursor.error(.tooDeep) }
        depth += 1
        defer { depth -= 1 }
        parser.cursor.offset += 1
        parser.cursor.skipSpace()
        if parser.cursor.peek == UInt8(ascii: "}") {
            parser.cursor.offset += 1
            return true
        }
        while true {
            try take(&self, try key())
            parser.cursor.skipSpace()
            switch parser.cursor.peek {
            case UInt8(ascii: ","): parser.cursor.offset += 1
            case UInt8(ascii: "}"):
                parser.cursor.offset += 1
                return true
            default: throw parser.cursor.unexpected()
            }
        }
    }

    /// The value as a tree.
    public mutating func value() throws(JSONError) -> JSON { try parser.value(depth: depth) }

    /// Past the value, which is checked nevertheless.
    public mutating func skip() throws(JSONError) { _ = try value() }

    /// After the last value: nothing but white space may follow.
    public mutating func finish() throws(JSONError) { try parser.cursor.finish() }

    /// Whether the value is a string.
    public var isText: Bool {
        mutating get { begins(with: UInt8(ascii: "\"")) }
    }

    private mutating func begins(with byte: UInt8) -> Bool {
        parser.cursor.skipSpace()
        return parser.cursor.peek == byte
    }

    private mutating func key() throws(JSONError) -> Text {
        parser.cursor.skipSpace()
        guard parser.cursor.peek == UInt8(ascii: "\"") else { throw parser.cursor.unexpected() }
        let start = parser.cursor.offset
        let (raw, hasEscapes) = try parser.rawString()
        // As the parser: no key holds them.
        if hasEscapes, JSONEscapes.decode(raw) == nil { throw JSONError(.loneSurrogate, at: start) }
        parser.cursor.skipSpace()
        guard parser.cursor.peek == UInt8(ascii: ":") else { throw parser.cursor.unexpected() }
        parser.cursor.offset += 1
        return Text(raw: raw, hasEscapes: hasEscapes)
    }
}

extension JSONReader {
    /// Reads a text whose one value is read by `read`.
    public static func read<Value>(
        _ bytes: [UInt8], limits: JSONLimits = .wire, _ read: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        try withRawBytes(of: bytes[...]) { bytes throws(JSONError) in
            var reader = JSONReader(bytes, limits: limits)
            let value = try read(&reader)
            try reader.finish()
            return value
        }
    }
}
