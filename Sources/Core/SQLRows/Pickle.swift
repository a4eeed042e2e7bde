// Values of JSON as a pickle, for clients that read nothing else (Celery up to 5.6.3 with a database). Never read here.
import TaskhostJSON

/// Protocol 2, which every Python 3 reads. Plain values only: nothing in it names anything to call.
public enum Pickle {
    private static let begin: [UInt8] = [0x80, 2]

    /// Whether a column holds one: no serializer writes a first byte like this (msgpack's empty map aside, one byte).
    public static func isOne(_ column: [UInt8]) -> Bool { column.count > 1 && column[0] == 0x80 }

    static func written(_ value: JSON) -> [UInt8] {
        var out = begin
        append(value, into: &out)
        out.append(UInt8(ascii: "."))
        return out
    }

    private static func append(_ value: JSON, into out: inout [UInt8]) {
        switch value {
        case .null: out.append(UInt8(ascii: "N"))
        case .bool(let flag): out.append(flag ? 0x88 : 0x89)
        case .int(let number):
            if let short = Int32(exactly: number) {
                out.append(UInt8(ascii: "J"))
                append(UInt32(bitPattern: short), into: &out)
            } else {
                append(digits: "\(number)", into: &out)
            }
        case .bigInteger(let digits): append(digits: digits, into: &out)
        case .double(let number):
            out.append(UInt8(ascii: "G"))
            withUnsafeBytes(of: number.bitPattern.bigEndian) { out.append(contentsOf: $0) }
        case .string(let text): append(utf8: Array(text.utf8), into: &out)
        case .surrogates(let raw): append(utf8: Surrogates.utf8(raw), into: &out)
        case .array(let elements):
            out.append(contentsOf: "](".utf8)
            for element in elements { append(element, into: &out) }
            out.append(UInt8(ascii: "e"))
        case .object(let members):
            out.append(contentsOf: "}(".utf8)
            for member in members {
                append(utf8: Array(member.key.utf8), into: &out)
                append(member.value, into: &out)
            }
            out.append(UInt8(ascii: "u"))
        }
    }

    /// Python's own text form of a long.
    private static func append(digits: String, into out: inout [UInt8]) {
        out.append(contentsOf: "L\(digits)L\n".utf8)
    }

    private static func append(utf8 text: [UInt8], into out: inout [UInt8]) {
        out.append(UInt8(ascii: "X"))
        append(UInt32(text.count), into: &out)
        out.append(contentsOf: text)
    }

    private static func append(_ number: UInt32, into out: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
    }
}

/// Texts with halves of surrogate pairs, in the bytes that Python's `surrogatepass` reads.
private enum Surrogates {
    /// - Parameter raw: the content of a JSON string, escapes and all, whose syntax has been checked.
    static func utf8(_ raw: String) -> [UInt8] {
        var out: [UInt8] = []
        let bytes = Array(raw.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                out.append(bytes[index])
                index += 1
                continue
            }
            guard bytes[index + 1] == UInt8(ascii: "u") else {
                out.append(plain(bytes[index + 1]))
                index += 2
                continue
            }
            var code = unit(bytes, index + 2)
            index += 6
            let isPair =
                code & 0xFC00 == 0xD800 && index + 6 <= bytes.count && bytes[index] == UInt8(ascii: "\\")
                && bytes[index + 1] == UInt8(ascii: "u") && unit(bytes, index + 2) & 0xFC00 == 0xDC00
            if isPair {
                code = 0x10000 + (code & 0x3FF) << 10 + (unit(bytes, index + 2) & 0x3FF)
                index += 6
            }
            append(code, into: &out)
        }
        return out
    }

    private static func unit(_ bytes: [UInt8], _ start: Int) -> UInt32 {
        UInt32(String(decoding: bytes[start..<(start + 4)], as: UTF8.self), radix: 16) ?? 0xFFFD
    }

    private static func plain(_ kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: kind
        }
    }

    private static func append(_ code: UInt32, into out: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(code >> shift & 0x3F) }
        switch code {
        case ..<0x80: out.append(UInt8(code))
        case ..<0x800: out += [0xC0 | UInt8(code >> 6), tail(0)]
        case ..<0x10000: out += [0xE0 | UInt8(code >> 12), tail(6), tail(0)]
        default: out += [0xF0 | UInt8(code >> 18), tail(12), tail(6), tail(0)]
        }
    }
}
