// PostgreSQL's binary forms of the values that we send and read.
import TaskModel

/// By their numbers in `pg_type`, which never change.
enum TypeNumber {
    static let bytes: UInt32 = 17
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let double: UInt32 = 701
    static let texts: UInt32 = 1009
    static let manyBytes: UInt32 = 1001
    static let int4s: UInt32 = 1007
    static let times: UInt32 = 1185
    static let time: UInt32 = 1184
}

/// One parameter of a statement, in binary form.
struct Parameter {
    let type: UInt32
    let bytes: [UInt8]

    static func texts(_ items: [String?]) -> Parameter {
        array(items, TypeNumber.texts, of: TypeNumber.text) { $1.append(contentsOf: $0.utf8) }
    }

    static func bytes(_ items: [[UInt8]?]) -> Parameter {
        array(items, TypeNumber.manyBytes, of: TypeNumber.bytes) { $1.append(contentsOf: $0) }
    }

    static func integers(_ items: [Int32?]) -> Parameter {
        array(items, TypeNumber.int4s, of: TypeNumber.int4) { BinaryValue.append($0, into: &$1) }
    }

    static func times(_ items: [WallTime?]) -> Parameter {
        array(items, TypeNumber.times, of: TypeNumber.time) {
            BinaryValue.append($0.microseconds - BinaryValue.epochMicroseconds, into: &$1)
        }
    }

    static func text(_ text: String) -> Parameter { Parameter(type: TypeNumber.text, bytes: Array(text.utf8)) }

    static func double(_ number: Double) -> Parameter {
        var out: [UInt8] = []
        BinaryValue.append(number.bitPattern, into: &out)
        return Parameter(type: TypeNumber.double, bytes: out)
    }

    /// One dimension, from index 1.
    static func array<Item>(
        _ items: [Item?], _ type: UInt32, of element: UInt32, _ append: (Item, inout [UInt8]) -> Void
    ) -> Parameter {
        var out: [UInt8] = []
        BinaryValue.append(Int32(items.isEmpty ? 0 : 1), into: &out)
        BinaryValue.append(Int32(1), into: &out)
        BinaryValue.append(element, into: &out)
        if !items.isEmpty {
            BinaryValue.append(Int32(items.count), into: &out)
            BinaryValue.append(Int32(1), into: &out)
        }
        for item in items {
            guard let item else {
                BinaryValue.append(Int32(-1), into: &out)
                continue
            }
            let start = out.count
            BinaryValue.append(Int32(0), into: &out)
            append(item, &out)
            withUnsafeBytes(of: Int32(out.count - start - 4).bigEndian) { length in
                for index in 0..<4 { out[start + index] = length[index] }
            }
        }
        return Parameter(type: type, bytes: out)
    }
}

enum BinaryValue {
    /// 2000-01-01 UTC, where PostgreSQL's times begin, in microseconds since 1970.
    static let epochMicroseconds: Int64 = 946_684_800_000_000

    static func append<Number: FixedWidthInteger>(_ number: Number, into out: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { out.append(contentsOf: $0) }
    }

    /// nil: not so many bytes as the type has.
    static func integer<Number: FixedWidthInteger>(_ bytes: [UInt8]) -> Number? {
        guard bytes.count == Number.bitWidth / 8 else { return nil }
        return bytes.reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// nil also for `infinity`.
    static func time(_ bytes: [UInt8]) -> WallTime? {
        guard let number: Int64 = integer(bytes), number != .max, number != .min else { return nil }
        return WallTime(microseconds: number + epochMicroseconds)
    }
}
