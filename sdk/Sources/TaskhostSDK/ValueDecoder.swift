// JSON to any Decodable value: an argument, or a part of one.

/// The decoder of one JSON value. Errors name the place and read like Python's.
struct ValueDecoder: Decoder {
    let value: JSON
    let place: ValuePlace

    var codingPath: [any CodingKey] { place.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// The frequent types skip the containers.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from json: JSON, at place: ValuePlace
    ) throws -> Value {
        if type == Int.self { return try cast(Scalars.integer(json, as: Int.self, at: place)) }
        if type == Double.self { return try cast(Scalars.double(json, at: place)) }
        if type == String.self { return try cast(Scalars.string(json, at: place)) }
        if type == Bool.self { return try cast(Scalars.bool(json, at: place)) }
        if type == [UInt8].self, let bytes = try TypedValue.bytes(json, at: place) { return try cast(bytes) }
        do {
            return try Value(from: ValueDecoder(value: json, place: place))
        } catch let error as DecodingError {
            throw TaskError(error, at: place)
        }
    }

    /// `Value` is known to be `Known` here, though not to the compiler.
    private static func cast<Known, Value>(_ value: Known) throws -> Value {
        guard let value = value as? Value else {
            throw TaskError(type: "TypeError", "\(Known.self) is not \(Value.self)")
        }
        return value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw Scalars.wrongType(value, expected: "dict", at: place) }
        return KeyedDecodingContainer(ObjectContainer<Key>(members, place: place))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw Scalars.wrongType(value, expected: "list", at: place) }
        return ArrayContainer(elements: elements, place: place)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        ScalarContainer(value: value, place: place)
    }
}
