/// Header values as AMQP field tables carry them (AMQP 0-9-1, §4.2.5, with RabbitMQ's extensions).
/// Brokers without field tables (SQLite, Redis) map JSON onto the same cases.
public enum FieldValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    case array([FieldValue])
    case table(FieldTable)
}

/// An ordered header table. Tables are short and mostly read once, so a scan beats hashing.
public struct FieldTable: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public var key: String
        public var value: FieldValue

        @inlinable
        public init(key: String, value: FieldValue) {
            self.key = key
            self.value = value
        }
    }

    public var fields: [Field]

    @inlinable
    public init(_ fields: [Field] = []) { self.fields = fields }

    public subscript(key: String) -> FieldValue? {
        get {
            // Most names differ in length, which is told sooner than whether texts are equal.
            let length = key.utf8.count
            for index in fields.indices where fields[index].key.utf8.count == length && fields[index].key == key {
                return fields[index].value
            }
            return nil
        }
        set {
            let index = fields.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension FieldTable: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, FieldValue)...) {
        self.init(elements.map { Field(key: $0.0, value: $0.1) })
    }
}

extension FieldValue {
    /// The text of a string, or of bytes that are UTF-8; nil for every other case.
    public var text: String? {
        switch self {
        case .string(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    public var integer: Int64? {
        if case .int(let value) = self { value } else { nil }
    }
}
