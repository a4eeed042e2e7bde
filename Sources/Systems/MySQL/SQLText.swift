// One statement of MySQL's, with its values written into it.
import SQLRows

/// The session has no `NO_BACKSLASH_ESCAPES`, and its character set is utf8mb4, in which no character's later bytes look
/// like a quote or a backslash: so escaping is byte by byte.
struct SQLText {
    private(set) var bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// nil: NULL.
    mutating func add(text: String?) {
        guard let text else { return add("NULL") }
        quote(text.utf8)
    }

    mutating func add(binary: [UInt8]?) {
        guard let binary else { return add("NULL") }
        add("_binary")
        quote(binary)
    }

    /// Of none: a list that nothing is in.
    mutating func add(texts: [String]) {
        guard !texts.isEmpty else { return add("(NULL)") }
        add("(")
        for (index, text) in texts.enumerated() {
            if index > 0 { add(",") }
            quote(text.utf8)
        }
        add(")")
    }

    private mutating func quote(_ content: some Collection<UInt8>) {
        bytes.reserveCapacity(bytes.count + content.count + 2)
        bytes.append(UInt8(ascii: "'"))
        for byte in content {
            switch byte {
            case 0:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(ascii: "0"))
            case UInt8(ascii: "'"), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "'"))
    }
}
