// The tokens of a JSON text. Parser (tree) and scanner (ranges) both stand on this, so they agree on what is valid.

internal import Glibc

/// A place in a text. Reads never pass the end: `peek` gives 0 there, which no token begins with.
struct JSONCursor {
    let base: UnsafePointer<UInt8>
    let count: Int
    var offset = 0
    var nodesLeft: Int
    let maxDepth: Int
    let keepsSurrogates: Bool

    /// What `skipString` and `skipNumber` found out in passing.
    struct Text {
        var content: Range<Int>
        var hasEscapes: Bool
    }

    enum Number { case integer, float }

    init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits) {
        // An empty buffer may have no address; with count 0 this one is never read.
        base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(bitPattern: 8).unsafelyUnwrapped
        count = bytes.count
        nodesLeft = limits.maxNodes
        maxDepth = limits.maxDepth
        keepsSurrogates = limits.keepsSurrogates
    }

    @inline(__always)
    var peek: UInt8 { offset < count ? base[offset] : 0 }

    func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason, at: offset) }

    func unexpected() -> JSONError { error(offset < count ? .unexpectedCharacter : .unexpectedEnd) }

    @inline(__always)
    mutating func skipSpace() {
        while offset < count, base[offset] <= 0x20 {
            let byte = base[offset]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            offset += 1
        }
    }

    @inline(__always)
    mutating func countNode() throws(JSONError) {
        guard nodesLeft > 0 else { throw error(.tooManyNodes) }
        nodesLeft -= 1
    }

    mutating func finish() throws(JSONError) {
        skipSpace()
        guard offset == count else { throw error(.trailingCharacters) }
    }

    mutating func skipWord(_ word: StaticString) throws(JSONError) {
        let start = offset
        if count - start >= word.utf8CodeUnitCount, memcmp(base + start, word.utf8Start, word.utf8CodeUnitCount) == 0 {
            offset += word.utf8CodeUnitCount
            return
        }
        for index in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[index] else {
                let failure = unexpected()
                offset = start
                throw failure
            }
            offset += 1
        }
    }

    /// From the opening quote past the closing one.
    mutating func skipString() throws(JSONError) -> Text {
        offset += 1
        let start = offset
        var hasEscapes = false
        while true {
            skipPlain()
            switch peek {
            case UInt8(ascii: "\""):
                offset += 1
                return Text(content: start..<(offset - 1), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0x80...: try skipScalar()
            default: throw error(offset < count ? .controlCharacter : .unexpectedEnd)
            }
        }
    }

    /// Over ASCII that means nothing within a string. Long texts go by 32 bytes: byte by byte, strings of 1 MB took half
    /// of what a task costs.
    @inline(__always)
    private mutating func skipPlain() {
        while count - offset >= 32 {
            let words = UnsafeRawPointer(base + offset)
            var plain = ~UInt64(0)
            for place in stride(from: 0, to: 32, by: 8) {
                plain &= PlainText.marks(words.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            }
            guard PlainText.areAllMarked(plain) else { break }
            offset += 32
        }
        while count - offset >= 8 {
            let plain = PlainText.plainBytes(UnsafeRawPointer(base + offset).loadUnaligned(as: UInt64.self))
            offset += plain
            guard plain == 8 else { return }
        }
        while offset < count, PlainText.isPassed(base[offset]) { offset += 1 }
    }

    private mutating func skipEscape() throws(JSONError) {
        let start = offset
        offset += 1
        switch peek {
        case UInt8(ascii: "u"):
            offset += 1
            for _ in 0..<4 {
                guard hexDigit(peek) != nil else { throw error(offset < count ? .badEscape : .unexpectedEnd) }
                offset += 1
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 1
        default:
            throw JSONError(offset < count ? .badEscape : .unexpectedEnd, at: start)
        }
    }

    /// One multi-byte UTF-8 sequence (Unicode, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
    private mutating func skipScalar() throws(JSONError) {
        let lead = base[offset]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw error(.badUTF8)
        }
        guard count - offset >= length, second.contains(base[offset + 1]) else { throw error(.badUTF8) }
        for index in 2..<max(2, length) where base[offset + index] & 0xC0 != 0x80 { throw error(.badUTF8) }
        offset += length
    }

    /// A number without its special words; the cursor stands on its first byte.
    mutating func skipNumber() throws(JSONError) -> Number {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        let firstDigit = offset
        try skipDigits(from: start)
        guard base[firstDigit] != UInt8(ascii: "0") || offset == firstDigit + 1 else {
            throw JSONError(.badNumber, at: start)
        }
        let digits = offset - firstDigit
        var kind = Number.integer
        if peek == UInt8(ascii: ".") {
            kind = .float
            offset += 1
            try skipDigits(from: start)
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            kind = .float
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            try skipDigits(from: start)
        }
        guard kind == .float || digits <= JSONLimits.maxDigits else { throw JSONError(.tooManyDigits, at: start) }
        return kind
    }

    private mutating func skipDigits(from start: Int) throws(JSONError) {
        let first = offset
        while offset < count, base[offset] &- 0x30 < 10 { offset += 1 }
        guard offset > first else {
            throw offset < count ? JSONError(.badNumber, at: start) : error(.unexpectedEnd)
        }
    }
}

func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46: UInt32(byte - 0x41 + 10)
    case 0x61...0x66: UInt32(byte - 0x61 + 10)
    default: nil
    }
}

/// `withUnsafeBytes` for throwers of `JSONError`; the standard one forgets the error's type.
func withRawBytes<R>(
    of bytes: ArraySlice<UInt8>, _ body: (UnsafeRawBufferPointer) throws(JSONError) -> R
) throws(JSONError) -> R {
    let result = bytes.withUnsafeBytes { bytes -> Result<R, JSONError> in
        do throws(JSONError) {
            return .success(try body(bytes))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}
