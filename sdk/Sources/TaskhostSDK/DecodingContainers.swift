// The three views of a JSON value that Decodable types ask for.

struct ObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let members: [JSONMember]
    private let place: ValuePlace
    /// Only for objects long enough that looking through them costs more.
    private let index: [String: Int]?

    init(_ members: [JSONMember], place: ValuePlace) {
        self.members = members
        self.place = place
        index =
            members.count > 8
            ? Dictionary(members.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { _, last in last }) : nil
    }

    var codingPath: [any CodingKey] { place.codingPath }
    var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

    private func value(_ key: Key) throws -> (JSON, ValuePlace) {
        guard let value = find(key) else {
            throw TaskError(type: "TypeError", "\(place): missing key '\(key.stringValue)'")
        }
        return (value, .member(place, key.stringValue))
    }

    private func find(_ key: Key) -> JSON? {
        if let index { return index[key.stringValue].map { members[$0].value } }
        return members.last { $0.key == key.stringValue }?.value
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key).0.isNull }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let (value, place) = try value(key)
        return try ValueDecoder.decode(type, from: value, at: place)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try superDecoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try superDecoder(forKey: key).unkeyedContainer()
    }

    /// Where a class keeps its superclass's part, by Codable's convention.
    func superDecoder() throws -> any Decoder {
        let inherited = members.last { $0.key == "super" }?.value ?? .null
        return ValueDecoder(value: inherited, place: .member(place, "super"))
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        let (value, place) = try value(key)
        return ValueDecoder(value: value, place: place)
    }
}

struct ArrayContainer: UnkeyedDecodingContainer {
    let elements: [JSON]
    let place: ValuePlace
    private(set) var currentIndex = 0

    init(elements: [JSON], place: ValuePlace) {
        self.elements = elements
        self.place = place
    }

    var codingPath: [any CodingKey] { place.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    private mutating func next() throws -> (JSON, ValuePlace) {
        guard !isAtEnd else {
            throw TaskError(
                type: "ValueError", "\(place): more than \(elements.count) elements are needed")
        }
        defer { currentIndex += 1 }
        return (elements[currentIndex], .element(place, currentIndex))
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let (value, place) = try next()
        return try ValueDecoder.decode(type, from: value, at: place)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try superDecoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try superDecoder().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder {
        let (value, place) = try next()
        return ValueDecoder(value: value, place: place)
    }
}

struct ScalarContainer: SingleValueDecodingContainer {
    let value: JSON
    let place: ValuePlace

    var codingPath: [any CodingKey] { place.codingPath }

    func decodeNil() -> Bool { value.isNull }

    func decode(_ type: Bool.Type) throws -> Bool { try Scalars.bool(value, at: place) }
    func decode(_ type: String.Type) throws -> String { try Scalars.string(value, at: place) }
    func decode(_ type: Double.Type) throws -> Double { try Scalars.double(value, at: place) }
    func decode(_ type: Float.Type) throws -> Float { Float(try Scalars.double(value, at: place)) }
    func decode(_ type: Int.Type) throws -> Int { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: Int8.Type) throws -> Int8 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: Int16.Type) throws -> Int16 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: Int32.Type) throws -> Int32 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: Int64.Type) throws -> Int64 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: UInt.Type) throws -> UInt { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try Scalars.integer(value, as: type, at: place) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try Scalars.integer(value, as: type, at: place) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try ValueDecoder.decode(type, from: value, at: place)
    }
}
