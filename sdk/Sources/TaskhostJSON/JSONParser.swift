// Text to tree.

extension JSON {
    /// Reads one value that fills the whole text (white space around it is allowed). Halves of surrogate pairs are
    /// refused, since no Swift text can hold them, unless the limits keep them.
    public init(parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits = .wire) throws(JSONError) {
        var parser = JSONParser(cursor: JSONCursor(bytes, limits: limits))
        self = try parser.value(depth: 0)
        try parser.cursor.finish()
    }

    public init(parsing bytes: [UInt8], limits: JSONLimits = .wire) throws(JSONError) {
        try self.init(parsing: bytes[...], limits: limits)
    }

    public init(parsing bytes: ArraySlice<UInt8>, limits: JSONLimits = .wire) throws(JSONError) {
        self = try withRawBytes(of: bytes) { bytes throws(JSONError) in try JSON(parsing: bytes, limits: limits) }
    }

    public init(parsing text: String, limits: JSONLimits = .wire) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }
}

struct JSONParser {
    var cursor: JSONCursor

    /// `depth`: containers around this value.
    mutating func value(depth: Int) throws(JSONError) -> JSON {
        cursor.skipSpace()
        try cursor.countNode()
        switch cursor.peek {
        case UInt8(ascii: "\""): return try text()
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "t"):
            try cursor.skipWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try cursor.skipWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try cursor.skipWord("null")
            return .null
        case UInt8(ascii: "N"):
            try cursor.skipWord("NaN")
            return .double(.nan)
        case UInt8(ascii: "I"):
            try cursor.skipWord("Infinity")
            return .double(.infinity)
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        default: throw cursor.unexpected()
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSON] {
        guard depth <= cursor.maxDepth else { throw cursor.error(.tooDeep) }
        cursor.offset += 1
        cursor.skipSpace()
        var elements: [JSON] = []
        if cursor.peek == UInt8(ascii: "]") {
            cursor.offset += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth))
            cursor.skipSpace()
            switch cursor.peek {
            case UInt8(ascii: ","): cursor.offset += 1
            case UInt8(ascii: "]"):
                cursor.offset += 1
                return elements
            default: throw cursor.unexpected()
            }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> [JSONMember] {
        guard depth <= cursor.maxDepth else { throw cursor.error(.tooDeep) }
        cursor.offset += 1
        cursor.skipSpace()
        var members = JSONMemberList()
        if cursor.peek == UInt8(ascii: "}") {
            cursor.offset += 1
            return members.list
        }
        while true {
            cursor.skipSpace()
            guard cursor.peek == UInt8(ascii: "\"") else { throw cursor.unexpected() }
            let key = try string()
            cursor.skipSpace()
            guard cursor.peek == UInt8(ascii: ":") else { throw cursor.unexpected() }
            cursor.offset += 1
            members.set(key, try value(depth: depth))
            cursor.skipSpace()
            switch cursor.peek {
            case UInt8(ascii: ","): cursor.offset += 1
            case UInt8(ascii: "}"):
                cursor.offset += 1
                return members.list
            default: throw cursor.unexpected()
            }
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = cursor.offset
        if cursor.peek == UInt8(ascii: "-"), start + 1 < cursor.count, cursor.base[start + 1] == UInt8(ascii: "I") {
            cursor.offset += 1
            try cursor.skipWord("Infinity")
            return .double(-.infinity)
        }
        let kind = try cursor.skipNumber()
        let text = UnsafeBufferPointer(start: cursor.base + start, count: cursor.offset - start)
        guard kind == .integer else {
            // The grammar was checked above, so every text converts; too large ones become infinite, as in Python.
            guard let value = Double(String(decoding: text, as: UTF8.self)) else {
                throw JSONError(.badNumber, at: start)
            }
            return .double(value)
        }
        return integer(text)
    }

    private func integer(_ text: UnsafeBufferPointer<UInt8>) -> JSON {
        let isNegative = text[0] == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        if digits.count <= 18 {
            var value: Int64 = 0
            for digit in digits { value = value &* 10 &+ Int64(digit &- 0x30) }
            return .int(isNegative ? -value : value)
        }
        let decimal = String(decoding: text, as: UTF8.self)
        return Int64(decimal).map(JSON.int) ?? .bigInteger(decimal)
    }

    mutating func string() throws(JSONError) -> String {
        let start = cursor.offset
        let (raw, hasEscapes) = try rawString()
        guard hasEscapes else { return String(decoding: raw, as: UTF8.self) }
        guard let decoded = JSONEscapes.decode(raw) else { throw JSONError(.loneSurrogate, at: start) }
        return decoded
    }

    private mutating func text() throws(JSONError) -> JSON {
        let start = cursor.offset
        let (raw, hasEscapes) = try rawString()
        guard hasEscapes else { return .string(String(decoding: raw, as: UTF8.self)) }
        if let decoded = JSONEscapes.decode(raw) { return .string(decoded) }
        guard cursor.keepsSurrogates else { throw JSONError(.loneSurrogate, at: start) }
        return .surrogates(String(decoding: raw, as: UTF8.self))
    }

    /// The content of a string as it is written.
    mutating func rawString() throws(JSONError) -> (UnsafeBufferPointer<UInt8>, hasEscapes: Bool) {
        let text = try cursor.skipString()
        let raw = UnsafeBufferPointer(start: cursor.base + text.content.lowerBound, count: text.content.count)
        return (raw, text.hasEscapes)
    }
}

/// Members of an object under construction. Long objects get an index, so that a hostile one costs linear time.
private struct JSONMemberList {
    private(set) var list: [JSONMember] = []
    private var index: [ExactText: Int] = [:]
    private static let scanned = 32

    mutating func set(_ key: String, _ value: JSON) {
        if let present = find(key) {
            list[present].value = value
            return
        }
        if list.isEmpty { list.reserveCapacity(8) }
        list.append(JSONMember(key: key, value: value))
        if list.count == Self.scanned + 1 {
            for (position, member) in list.enumerated() { index[ExactText(text: member.key)] = position }
        } else if list.count > Self.scanned {
            index[ExactText(text: key)] = list.count - 1
        }
    }

    private func find(_ key: String) -> Int? {
        if list.count > Self.scanned { return index[ExactText(text: key)] }
        for position in list.indices where list[position].key.isSameBytes(as: key) { return position }
        return nil
    }
}

/// A text that equals only the same bytes; Swift's own equality takes "é" in either Unicode form for one.
private struct ExactText: Hashable {
    var text: String

    static func == (left: ExactText, right: ExactText) -> Bool { left.text.isSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
