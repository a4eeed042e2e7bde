// Any Encodable value to JSON: results, states, defaults.

extension JSON {
    /// Throws what the value's `encode(to:)` throws.
    public init<Value: Encodable>(encoding value: Value) throws {
        switch value {
        case let value as String: self = .string(value)
        case let value as Int: self = .int(Int64(value))
        case let value as Double: self = .double(value)
        case let value as Bool: self = .bool(value)
        case let value as JSON: self = value
        default:
            let encoder = ValueEncoder(codingPath: [])
            try value.encode(to: encoder)
            self = encoder.slot.json
        }
    }
}

/// Where one value comes to stand. Containers are objects, since Codable hands them out before they are filled.
enum EncodingSlot {
    case empty
    case value(JSON)
    case array(ArraySlots)
    case object(ObjectSlots)
    /// Filled later, by the caller of `superEncoder`.
    case encoder(ValueEncoder)

    /// What wrote nothing is an empty object, as `JSONEncoder` has it.
    var json: JSON {
        switch self {
        case .empty: .object([])
        case .value(let json): json
        case .array(let slots): .array(slots.elements.map(\.json))
        case .object(let slots): .object(slots.members.map { JSONMember(key: $0.key, value: $0.slot.json) })
        case .encoder(let encoder): encoder.slot.json
        }
    }
}

final class ArraySlots {
    var elements: [EncodingSlot] = []
}

final class ObjectSlots {
    private(set) var members: [(key: String, slot: EncodingSlot)] = []
    private var positions: [String: Int] = [:]

    /// A key set twice keeps its place and takes the later value.
    func set(_ key: String, _ slot: EncodingSlot) {
        if let position = positions[key] {
            members[position].slot = slot
        } else {
            positions[key] = members.count
            members.append((key, slot))
        }
    }

    func slot(_ key: String) -> EncodingSlot? { positions[key].map { members[$0].slot } }
}

/// Encodes one value into `slot`.
final class ValueEncoder: Encoder {
    var slot = EncodingSlot.empty
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    init(codingPath: [any CodingKey]) {
        self.codingPath = codingPath
    }

    /// A type may ask for its container more than once and goes on where it was.
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object(let slots) = slot {
            return KeyedEncodingContainer(ObjectEncoding<Key>(slots: slots, codingPath: codingPath))
        }
        let slots = ObjectSlots()
        slot = .object(slots)
        return KeyedEncodingContainer(ObjectEncoding<Key>(slots: slots, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array(let slots) = slot { return ArrayEncoding(slots: slots, codingPath: codingPath) }
        let slots = ArraySlots()
        slot = .array(slots)
        return ArrayEncoding(slots: slots, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ScalarEncoding(encoder: self) }
}
