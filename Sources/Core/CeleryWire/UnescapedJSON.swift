// JSON of values that need no escapes, written in one go into memory of the right size: what nearly every message has.
// What a child is told of its message costs the host more than anything else it writes.
import TaskModel
import TaskhostJSON

struct UnescapedJSON {
    private var next: UnsafeMutablePointer<UInt8>
    /// Something needs an escape, or is of a kind that is not written here: what was written is of no use.
    private(set) var isPlain = true

    /// - Parameter room: bytes that suffice if everything is plain.
    /// - Returns: nil: it is not.
    static func bytes(room: Int, _ write: (inout UnescapedJSON) -> Void) -> [UInt8]? {
        var isPlain = false
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { memory, count in
            guard let base = memory.baseAddress else { return }
            var json = UnescapedJSON(next: base)
            write(&json)
            isPlain = json.isPlain
            if isPlain { count = json.next - base }
        }
        return isPlain ? bytes : nil
    }

    private init(next: UnsafeMutablePointer<UInt8>) { self.next = next }

    mutating func byte(_ byte: Unicode.Scalar) {
        next.pointee = UInt8(truncatingIfNeeded: byte.value)
        next += 1
    }

    /// Text of our own, as it is.
    mutating func word(_ word: StaticString) {
        next.update(from: word.utf8Start, count: word.utf8CodeUnitCount)
        next += word.utf8CodeUnitCount
    }

    /// With quotes.
    mutating func text(_ text: String) {
        byte("\"")
        let count = text.utf8.count
        if text.utf8.withContiguousStorageIfAvailable({ PlainText.copy($0, to: next) }) != true { isPlain = false }
        next += count
        byte("\"")
    }

    mutating func number(_ value: Int64) {
        if value < 0 { byte("-") }
        var rest = value.magnitude
        var digits = 1
        var bound: UInt64 = 10
        while digits < 19, rest >= bound {
            digits += 1
            bound *= 10
        }
        var place = digits
        while place > 0 {
            place -= 1
            next[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        next += digits
    }

    // ---- header values ----

    /// Bytes that suffice if everything is plain.
    static func room(_ table: FieldTable) -> Int {
        var room = 2
        for index in table.fields.indices {
            room += table.fields[index].key.utf8.count + 4 + value(table.fields[index].value)
        }
        return room
    }

    private static func value(_ value: FieldValue) -> Int {
        switch value {
        case .null, .bool: 5
        case .int: 20
        case .string(let text): text.utf8.count + 2
        case .array(let elements): elements.reduce(2) { $0 + 1 + self.value($1) }
        case .table(let table): room(table)
        case .double, .bytes, .timestamp: 0
        }
    }

    mutating func table(_ table: FieldTable) {
        byte("{")
        for index in table.fields.indices {
            if index > 0 { byte(",") }
            text(table.fields[index].key)
            byte(":")
            value(table.fields[index].value)
        }
        byte("}")
    }

    private mutating func value(_ value: FieldValue) {
        switch value {
        case .null: word("null")
        case .bool(let flag): word(flag ? "true" : "false")
        case .int(let number): self.number(number)
        case .string(let text): self.text(text)
        case .array(let elements):
            byte("[")
            for index in elements.indices {
                if index > 0 { byte(",") }
                self.value(elements[index])
            }
            byte("]")
        case .table(let table): self.table(table)
        case .double, .bytes, .timestamp: isPlain = false
        }
    }
}
