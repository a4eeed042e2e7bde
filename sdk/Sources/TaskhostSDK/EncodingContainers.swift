// The three ways Encodable types write themselves.

struct ObjectEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slots: ObjectSlots
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) throws { slots.set(key.stringValue, .value(.null)) }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        slots.set(key.stringValue, .value(try JSON(encoding: value)))
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        let nested = ObjectSlots()
        slots.set(key.stringValue, .object(nested))
        return KeyedEncodingContainer(ObjectEncoding<NestedKey>(slots: nested, codingPath: codingPath + [key]))
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let nested = ArraySlots()
        slots.set(key.stringValue, .array(nested))
        return ArrayEncoding(slots: nested, codingPath: codingPath + [key])
    }

    mutating func superEncoder() -> any Encoder { superEncoder(PlaceKey(stringValue: "super")) }

    mutating func superEncoder(forKey key: Key) -> any Encoder { superEncoder(key) }

    private func superEncoder(_ key: any CodingKey) -> any Encoder {
        let encoder = ValueEncoder(codingPath: codingPath + [key])
        slots.set(key.stringValue, .encoder(encoder))
        return encoder
    }
}

struct ArrayEncoding: UnkeyedEncodingContainer {
    let slots: ArraySlots
    let codingPath: [any CodingKey]

    var count: Int { slots.elements.count }

    mutating func encodeNil() throws { slots.elements.append(.value(.null)) }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        slots.elements.append(.value(try JSON(encoding: value)))
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        let nested = ObjectSlots()
        let path = codingPath + [PlaceKey(intValue: count)]
        slots.elements.append(.object(nested))
        return KeyedEncodingContainer(ObjectEncoding<NestedKey>(slots: nested, codingPath: path))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let nested = ArraySlots()
        let path = codingPath + [PlaceKey(intValue: count)]
        slots.elements.append(.array(nested))
        return ArrayEncoding(slots: nested, codingPath: path)
    }

    mutating func superEncoder() -> any Encoder {
        let encoder = ValueEncoder(codingPath: codingPath + [PlaceKey(intValue: count)])
        slots.elements.append(.encoder(encoder))
        return encoder
    }
}

struct ScalarEncoding: SingleValueEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    private func put(_ json: JSON) { encoder.slot = .value(json) }

    mutating func encodeNil() throws { put(.null) }
    mutating func encode(_ value: Bool) throws { put(.bool(value)) }
    mutating func encode(_ value: String) throws { put(.string(value)) }
    mutating func encode(_ value: Double) throws { put(.double(value)) }
    mutating func encode(_ value: Float) throws { put(.double(Double(value))) }
    mutating func encode(_ value: Int) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: Int8) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: Int16) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: Int32) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: Int64) throws { put(.int(value)) }
    mutating func encode(_ value: UInt) throws { put(unsigned: UInt64(value)) }
    mutating func encode(_ value: UInt8) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: UInt16) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: UInt32) throws { put(.int(Int64(value))) }
    mutating func encode(_ value: UInt64) throws { put(unsigned: value) }

    private func put(unsigned value: UInt64) {
        put(Int64(exactly: value).map { .int($0) } ?? .bigInteger(String(value)))
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws { put(try JSON(encoding: value)) }
}
