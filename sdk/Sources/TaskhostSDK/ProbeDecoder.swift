// A decoder that yields no values but notes what is asked for.

/// Run over a handler's `init(from:)` once, to learn keys and types.
final class ProbeDecoder: Decoder {
    let handler: String
    private(set) var found: [(key: String, type: Any.Type)] = []
    private var current = ""

    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    init(handler: String) {
        self.handler = handler
    }

    /// Called by `Arg` from within `decode(_:forKey:)`.
    func noteArgument(of type: Any.Type) -> Int {
        found.append((current, type))
        return found.count - 1
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container<Key>(probe: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw notAnArgument }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw notAnArgument }

    private var notAnArgument: RegistrationError {
        current.isEmpty
            ? RegistrationError("\(handler): arguments are named; declare them as properties with @Arg")
            : RegistrationError(
                "\(handler): its property '\(current)' is no argument; write @Arg before it, or make it static")
    }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let probe: ProbeDecoder

        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { [] }

        func contains(_ key: Key) -> Bool { true }

        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            probe.current = key.stringValue
            return try Value(from: probe)
        }

        func nestedContainer<NestedKey: CodingKey>(
            keyedBy type: NestedKey.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<NestedKey> {
            throw refusal(key)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw refusal(key) }

        func superDecoder() throws -> any Decoder { throw probe.notAnArgument }

        func superDecoder(forKey key: Key) throws -> any Decoder { throw refusal(key) }

        private func refusal(_ key: Key) -> RegistrationError {
            probe.current = key.stringValue
            return probe.notAnArgument
        }
    }
}
