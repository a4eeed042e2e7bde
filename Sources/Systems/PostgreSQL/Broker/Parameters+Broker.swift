// Values of the broker's statements, in PostgreSQL's binary forms.

extension TypeNumber {
    static let int8: UInt32 = 20
    static let int8s: UInt32 = 1016
    static let doubles: UInt32 = 1022
}

extension Parameter {
    static func long(_ number: Int64) -> Parameter {
        var out: [UInt8] = []
        BinaryValue.append(number, into: &out)
        return Parameter(type: TypeNumber.int8, bytes: out)
    }

    static func integer(_ number: Int32) -> Parameter {
        var out: [UInt8] = []
        BinaryValue.append(number, into: &out)
        return Parameter(type: TypeNumber.int4, bytes: out)
    }

    static func longs(_ items: [Int64?]) -> Parameter {
        array(items, TypeNumber.int8s, of: TypeNumber.int8) { BinaryValue.append($0, into: &$1) }
    }

    static func doubles(_ items: [Double]) -> Parameter {
        array(items, TypeNumber.doubles, of: TypeNumber.double) { BinaryValue.append($0.bitPattern, into: &$1) }
    }

    static func bytes(_ bytes: [UInt8]) -> Parameter { Parameter(type: TypeNumber.bytes, bytes: bytes) }
}

extension BinaryValue {
    static func double(_ bytes: [UInt8]) -> Double? {
        let pattern: UInt64? = integer(bytes)
        return pattern.map { Double(bitPattern: $0) }
    }

    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// Of one statement: of each row its columns' bytes; nil: NULL.
typealias Rows = [[[UInt8]?]]

extension [[UInt8]?] {
    func text(_ column: Int) -> String? { self[column].map(BinaryValue.text) }
    func integer<Number: FixedWidthInteger>(_ column: Int) -> Number? {
        guard let bytes = self[column] else { return nil }
        return BinaryValue.integer(bytes)
    }

    func double(_ column: Int) -> Double? { self[column].flatMap(BinaryValue.double) }
}

extension Rows {
    /// How many rows a statement without an answer of its own has changed.
    var changed: Int { first?.first.flatMap { $0 }.map(BinaryValue.text).flatMap { Int($0) } ?? 0 }
}
