// Escapes inside JSON strings, both ways.

enum JSONEscapes {
    /// Undoes the escapes of a string's content, whose syntax has been checked; nil: half a surrogate pair.
    static func decode(_ raw: UnsafeBufferPointer<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            let byte = raw[index]
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                index += 1
                continue
            }
            let kind = raw[index + 1]
            index += 2
            guard kind == UInt8(ascii: "u") else {
                bytes.append(plain(kind))
                continue
            }
            var code = codeUnit(raw, at: index)
            index += 4
            if code & 0xFC00 == 0xD800 {
                guard index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"), raw[index + 1] == UInt8(ascii: "u")
                else { return nil }
                let low = codeUnit(raw, at: index + 2)
                guard low & 0xFC00 == 0xDC00 else { return nil }
                index += 6
                code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else { return nil }
            bytes.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
        }
        return String(decoding: bytes, as: UTF8.self)
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

    private static func codeUnit(_ raw: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt32 {
        var code: UInt32 = 0
        for digit in 0..<4 { code = code << 4 | (hexDigit(raw[index + digit]) ?? 0) }
        return code
    }

    /// Appends one scalar that cannot stand as it is in an ASCII JSON string.
    static func encode(_ scalar: Unicode.Scalar, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch scalar {
        case "\"", "\\": bytes.append(UInt8(scalar.value))
        case "\n": bytes.append(UInt8(ascii: "n"))
        case "\t": bytes.append(UInt8(ascii: "t"))
        case "\r": bytes.append(UInt8(ascii: "r"))
        case "\u{8}": bytes.append(UInt8(ascii: "b"))
        case "\u{C}": bytes.append(UInt8(ascii: "f"))
        default:
            let units = UTF16.encode(scalar).unsafelyUnwrapped
            var isFirst = true
            for unit in units {
                if !isFirst { bytes.append(UInt8(ascii: "\\")) }
                isFirst = false
                bytes.append(UInt8(ascii: "u"))
                for shift in [12, 8, 4, 0] {
                    let digit = UInt8(truncatingIfNeeded: unit >> shift) & 0xF
                    bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                }
            }
        }
    }
}
