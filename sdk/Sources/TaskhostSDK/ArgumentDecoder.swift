// Fills a handler's properties from the arguments that the host has bound.

/// Serves the `init(from:)` the compiler writes for a handler; each `Arg` takes its own value.
final class ArgumentDecoder: Decoder {
    private let parameters: [Parameters.Parameter]
    private let arguments: UnsafeBufferPointer<taskhost_slice>
    private var current = -1

    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    /// `arguments`: one for each parameter; valid while this decoder is used.
    init(_ arguments: UnsafeBufferPointer<taskhost_slice>, parameters: Parameters) {
        self.parameters = parameters.all
        self.arguments = arguments
    }

    /// Called by `Arg` from within `decode(_:forKey:)`.
    func takeCurrent<Value: Codable & Sendable>() throws -> Arg<Value> {
        let value = try currentValue()
        let parameter = parameters[current]
        if let value {
            return Arg(wrappedValue: try ValueDecoder.decode(Value.self, from: value, at: .argument(parameter.name)))
        }
        guard let fallback = parameter.fallback as? Arg<Value> else {
            throw TaskError(type: "TypeError", "argument '\(parameter.name)' has no value")
        }
        return fallback
    }

    /// For properties that take what is left over: always bound, never converted.
    func takeCurrentJSON() throws -> JSON {
        guard let value = try currentValue() else { throw unnamed }
        return value
    }

    /// nil: not given.
    private func currentValue() throws -> JSON? {
        guard parameters.indices.contains(current), arguments.indices.contains(current) else { throw unnamed }
        let argument = arguments[current]
        guard let text = argument.text else { return nil }
        do {
            return try JSON(parsing: UnsafeRawBufferPointer(start: text, count: argument.length), limits: .trusted)
        } catch {
            throw TaskError(type: "ValueError", "argument '\(parameters[current].name)' can't be read: \(error)")
        }
    }

    /// Keys are asked for in the order of declaration, nearly always.
    private func move(to name: String) {
        current += 1
        if !parameters.indices.contains(current) || parameters[current].name != name {
            current = parameters.firstIndex { $0.name == name } ?? -1
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unnamed }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw unnamed }

    /// Registration has refused handlers that get here by themselves.
    private var unnamed: TaskError {
        TaskError(type: "TypeError", "a handler's arguments are properties with @Arg")
    }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let decoder: ArgumentDecoder

        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { decoder.parameters.compactMap { Key(stringValue: $0.name) } }

        func contains(_ key: Key) -> Bool { decoder.parameters.contains { $0.name == key.stringValue } }

        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            decoder.move(to: key.stringValue)
            return try Value(from: decoder)
        }

        func nestedContainer<NestedKey: CodingKey>(
            keyedBy type: NestedKey.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<NestedKey> {
            throw decoder.unnamed
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw decoder.unnamed }

        func superDecoder() throws -> any Decoder { throw decoder.unnamed }

        func superDecoder(forKey key: Key) throws -> any Decoder { throw decoder.unnamed }
    }
}
