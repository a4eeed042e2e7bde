// The JSON value tree, in the dialect Python's json module reads and writes.

/// A JSON value as Celery's clients mean it: integers and floats stay apart, integers have any size, and `NaN`,
/// `Infinity` and `-Infinity` are numbers.
///
/// Equality is by value: `1` differs from `1.0`, texts are equal when their bytes are, members compare in order,
/// and NaN differs from itself.
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    /// An integer outside `Int64`, as decimal digits with an optional minus sign.
    case bigInteger(String)
    case double(Double)
    case string(String)
    /// A text with halves of surrogate pairs, which no Swift text can hold (Python's `os.fsdecode` makes such names): its
    /// content as JSON writes it, escapes and all. Read only by `JSONLimits.trusted`.
    case surrogates(String)
    case array([JSON])
    /// In the order of the text. Parsed objects have each key once: of duplicates the last value wins.
    case object([JSONMember])
}

/// One `key: value` of an object.
public struct JSONMember: Sendable, Equatable {
    public var key: String
    public var value: JSON

    public init(key: String, value: JSON) {
        self.key = key
        self.value = value
    }

    /// Keys are compared by their bytes: texts that merely look alike are different keys, as in Python.
    public static func == (left: JSONMember, right: JSONMember) -> Bool {
        left.key.isSameBytes(as: right.key) && left.value == right.value
    }
}

extension JSON: CustomStringConvertible {
    /// As JSON text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension JSON: Equatable {
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.bigInteger(let left), .bigInteger(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left.isSameBytes(as: right)
        case (.surrogates(let left), .surrogates(let right)): left.isSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSON {
    /// The value of a member; nil when there is none, or this is not an object.
    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        // From the end: of duplicates the last one wins.
        for index in members.indices.reversed() where members[index].key.isSameBytes(as: key) {
            return members[index].value
        }
        return nil
    }

    public var isNull: Bool { if case .null = self { true } else { false } }

    public var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// An integer that fits; nil for floats, also for `1.0`.
    public var integer: Int64? { if case .int(let value) = self { value } else { nil } }

    /// An integer or float, as the nearest double.
    public var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .bigInteger(let digits): Double(digits)
        case .double(let value): value
        default: nil
        }
    }

    public var text: String? { if case .string(let value) = self { value } else { nil } }

    public var elements: [JSON]? { if case .array(let value) = self { value } else { nil } }

    public var members: [JSONMember]? { if case .object(let value) = self { value } else { nil } }
}
