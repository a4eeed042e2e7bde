// Tree to text: compact, all ASCII, as Python's json module would read it back to the same values.

extension JSON {
    /// Appends the text of this value.
    public func write(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
        case .int(let value): JSONWriter.append(value, into: &bytes)
        case .bigInteger(let digits): JSONWriter.append(bigInteger: digits, into: &bytes)
        case .double(let value): JSONWriter.append(value, into: &bytes)
        case .string(let value): JSONWriter.append(value, into: &bytes)
        case .surrogates(let escaped): JSONWriter.append(escaped: escaped, into: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONWriter.append(member.key, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }
}

/// Single tokens, for those who write a document of known shape without a tree.
public enum JSONWriter {
    public static func append(_ value: Int64, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(value).utf8)
    }

    /// The shortest digits that read back as the same float, always recognisable as a float: `10.0`, `1e+16`, `NaN`.
    public static func append(_ value: Double, into bytes: inout [UInt8]) {
        guard value.isFinite else {
            bytes.append(contentsOf: (value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity").utf8)
            return
        }
        bytes.append(contentsOf: value.description.utf8)
    }

    /// With quotes; everything but printable ASCII is escaped, above U+FFFF as a surrogate pair.
    public static func append(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        let isPlain = text.withUTF8 { utf8 -> Bool in
            guard PlainText.covers(UnsafeRawBufferPointer(utf8)) else { return false }
            bytes.append(contentsOf: utf8)
            return true
        }
        if !isPlain {
            for scalar in text.unicodeScalars {
                switch scalar.value {
                case 0x22, 0x5C: JSONEscapes.encode(scalar, into: &bytes)
                case 0x20..<0x7F: bytes.append(UInt8(truncatingIfNeeded: scalar.value))
                default: JSONEscapes.encode(scalar, into: &bytes)
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// What is not the content of a JSON string is written as text, so that the document stays JSON whatever it is given.
    static func append(escaped content: String, into bytes: inout [UInt8]) {
        let quoted = Array("\"\(content)\"".utf8)
        do throws(JSONError) {
            try JSONScan.validate(quoted, limits: JSONLimits(maxDepth: 0, maxNodes: 1))
            bytes.append(contentsOf: quoted)
        } catch {
            append(content, into: &bytes)
        }
    }

    /// Text that is no decimal integer is written as a string, so that the document stays JSON whatever it is given.
    static func append(bigInteger digits: String, into bytes: inout [UInt8]) {
        let unsigned = digits.utf8.first == UInt8(ascii: "-") ? digits.utf8.dropFirst() : digits.utf8[...]
        let isInteger = !unsigned.isEmpty && unsigned.allSatisfy { 0x30...0x39 ~= $0 }
        guard isInteger else { return append(digits, into: &bytes) }
        bytes.append(contentsOf: digits.utf8)
    }
}
