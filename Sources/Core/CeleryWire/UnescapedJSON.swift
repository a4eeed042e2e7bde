// JSON of values that need no escapes, written in one go into memory of the right size: what nearly every message has.
// What a child is told of its message costs the host more than anything else it writes.
import Synchronization
import TaskModel
import TaskhostJSON

struct UnescapedJSON {
    private var next: UnsafeMutablePointer<UInt8>
    private let end: UnsafeMutablePointer<UInt8>
    /// Something needs an escape, or is of a kind that is not written here: what was written is of no use.
    private(set) var isPlain = true
    /// There was no room for all of it.
    private(set) var isCut = false

    /// - Parameter room: bytes that suffice if everything is plain; asked for texts that are long.
    /// - Returns: nil: it is not plain.
    static func bytes(room: () -> Int, _ write: (inout UnescapedJSON) -> Void) -> [UInt8]? {
        if let scratch = Scratch.take() {
            defer { Scratch.giveBack() }
            var json = UnescapedJSON(scratch)
            write(&json)
            guard json.isPlain else { return nil }
            if !json.isCut, let start = UnsafePointer(scratch.baseAddress) {
                return Array(UnsafeBufferPointer(start: start, count: UnsafePointer(json.next) - start))
            }
        }
        var isPlain = false
        let bytes = [UInt8](unsafeUninitializedCapacity: room()) { memory, count in
            var json = UnescapedJSON(memory)
            write(&json)
            isPlain = json.isPlain && !json.isCut
            if isPlain, let base = memory.baseAddress { count = json.next - base }
        }
        return isPlain ? bytes : nil
    }

    private init(_ memory: UnsafeMutableBufferPointer<UInt8>) {
        // Of no memory at all nothing is written.
        next = memory.baseAddress ?? UnsafeMutablePointer(bitPattern: 8).unsafelyUnwrapped
        end = next + memory.count
    }

    private mutating func hasRoom(_ count: Int) -> Bool {
        if end - next < count { isCut = true }
        return !isCut
    }

    @inline(__always)
    mutating func byte(_ byte: Unicode.Scalar) {
        guard hasRoom(1) else { return }
        next.pointee = UInt8(truncatingIfNeeded: byte.value)
        next += 1
    }

    /// Text of our own, as it is.
    @inline(__always)
    mutating func word(_ word: StaticString) {
        guard hasRoom(word.utf8CodeUnitCount) else { return }
        next.update(from: word.utf8Start, count: word.utf8CodeUnitCount)
        next += word.utf8CodeUnitCount
    }

    /// With quotes.
    mutating func text(_ text: String) {
        let count = text.utf8.count
        guard hasRoom(count + 2) else { return }
        byte("\"")
        if text.utf8.withContiguousStorageIfAvailable({ PlainText.copy($0, to: next) }) != true { isPlain = false }
        next += count
        byte("\"")
    }

    mutating func number(_ value: Int64) {
        guard hasRoom(20) else { return }
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
        for index in table.fields.indices where isPlain {
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

/// Memory for texts of usual length: what is written is copied out of it, so that an array has no more bytes than it needs.
private enum Scratch {
    private static let isTaken = Atomic<Bool>(false)
    private nonisolated(unsafe) static let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 8192)

    /// nil: another thread has it.
    static func take() -> UnsafeMutableBufferPointer<UInt8>? {
        isTaken.exchange(true, ordering: .acquiring) ? nil : memory
    }

    static func giveBack() { isTaken.store(false, ordering: .releasing) }
}
