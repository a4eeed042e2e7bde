// Validation without a tree: what the host does with a body whose content only the child needs.

/// Checks a whole text as strictly as the parser does and tells where the parts are.
///
/// One difference: a `\ud800` without its partner is let through, since the text is passed on as it is.
public enum JSONScan {
    /// The elements of the array this text consists of, as byte ranges without white space around them.
    public static func topLevelArray(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .wire
    ) throws(JSONError) -> [Range<Int>] {
        var cursor = JSONCursor(bytes, limits: limits)
        cursor.skipSpace()
        guard cursor.peek == UInt8(ascii: "[") else {
            // Broken JSON is reported as such; a whole value of another kind as no array.
            try cursor.skipValue(depth: 0)
            try cursor.finish()
            throw JSONError(.notAnArray, at: 0)
        }
        var elements: [Range<Int>] = []
        elements.reserveCapacity(4)
        try cursor.skipArray(depth: 0) { elements.append($0) }
        try cursor.finish()
        return elements
    }

    public static func topLevelArray(
        _ bytes: [UInt8], limits: JSONLimits = .wire
    ) throws(JSONError) -> [Range<Int>] {
        try withRawBytes(of: bytes[...]) { bytes throws(JSONError) in try topLevelArray(bytes, limits: limits) }
    }

    public struct Member: Sendable, Equatable {
        /// The key's text as written, without quotes; escapes are left as they are.
        public var key: Range<Int>
        public var value: Range<Int>
    }

    /// The members of the object this text consists of. Duplicate keys are all listed.
    public static func topLevelObject(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .wire
    ) throws(JSONError) -> [Member] {
        var cursor = JSONCursor(bytes, limits: limits)
        cursor.skipSpace()
        guard cursor.peek == UInt8(ascii: "{") else {
            try cursor.skipValue(depth: 0)
            try cursor.finish()
            throw JSONError(.notAnObject, at: 0)
        }
        var members: [Member] = []
        members.reserveCapacity(4)
        try cursor.skipObject(depth: 0) { members.append(Member(key: $0, value: $1)) }
        try cursor.finish()
        return members
    }

    public static func topLevelObject(
        _ bytes: [UInt8], limits: JSONLimits = .wire
    ) throws(JSONError) -> [Member] {
        try withRawBytes(of: bytes[...]) { bytes throws(JSONError) in try topLevelObject(bytes, limits: limits) }
    }

    /// Checks that the text is one JSON value.
    public static func validate(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .wire) throws(JSONError) {
        var cursor = JSONCursor(bytes, limits: limits)
        try cursor.skipValue(depth: 0)
        try cursor.finish()
    }

    public static func validate(_ bytes: [UInt8], limits: JSONLimits = .wire) throws(JSONError) {
        try withRawBytes(of: bytes[...]) { bytes throws(JSONError) in try validate(bytes, limits: limits) }
    }
}

extension JSONCursor {
    /// `depth`: containers around this value.
    mutating func skipValue(depth: Int) throws(JSONError) {
        skipSpace()
        switch peek {
        case UInt8(ascii: "["): return try skipArray(depth: depth) { _ in }
        case UInt8(ascii: "{"): return try skipObject(depth: depth) { _, _ in }
        default: break
        }
        try countNode()
        switch peek {
        case UInt8(ascii: "\""): _ = try skipString()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        case UInt8(ascii: "N"): try skipWord("NaN")
        case UInt8(ascii: "I"): try skipWord("Infinity")
        case UInt8(ascii: "-") where offset + 1 < count && base[offset + 1] == UInt8(ascii: "I"):
            offset += 1
            try skipWord("Infinity")
        case UInt8(ascii: "-"), 0x30...0x39: _ = try skipNumber()
        default: throw unexpected()
        }
    }

    @inline(__always)
    mutating func skipArray(depth: Int, element: (Range<Int>) -> Void) throws(JSONError) {
        try enter(depth: depth)
        if peek == UInt8(ascii: "]") {
            offset += 1
            return
        }
        while true {
            skipSpace()
            let start = offset
            try skipValue(depth: depth + 1)
            element(start..<offset)
            skipSpace()
            switch peek {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "]"):
                offset += 1
                return
            default: throw unexpected()
            }
        }
    }

    @inline(__always)
    mutating func skipObject(depth: Int, member: (Range<Int>, Range<Int>) -> Void) throws(JSONError) {
        try enter(depth: depth)
        if peek == UInt8(ascii: "}") {
            offset += 1
            return
        }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw unexpected() }
            let key = try skipString().content
            skipSpace()
            guard peek == UInt8(ascii: ":") else { throw unexpected() }
            offset += 1
            skipSpace()
            let start = offset
            try skipValue(depth: depth + 1)
            member(key, start..<offset)
            skipSpace()
            switch peek {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "}"):
                offset += 1
                return
            default: throw unexpected()
            }
        }
    }

    /// Past the opening bracket and the space after it.
    private mutating func enter(depth: Int) throws(JSONError) {
        guard depth < maxDepth else { throw error(.tooDeep) }
        try countNode()
        offset += 1
        skipSpace()
    }
}
