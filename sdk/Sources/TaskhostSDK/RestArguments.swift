// Arguments beyond those a task names, as Python's *args and **kwargs.

/// The positional arguments that no other property takes: `@Rest var numbers: [JSON]`, after every `@Arg`.
@propertyWrapper
public struct Rest: Decodable, Sendable {
    public var wrappedValue: [JSON] = []
    /// Set by the probe at registration.
    private var key: Int?

    public init() {}

    public init(from decoder: any Decoder) throws {
        if let call = decoder as? ArgumentDecoder {
            wrappedValue = try call.takeCurrentJSON().elements ?? []
        } else if let probe = decoder as? ProbeDecoder {
            key = probe.noteArgument(of: [JSON].self)
        } else {
            wrappedValue = try [JSON](from: decoder)
        }
    }
}

/// The keyword arguments that no other property takes: `@Named var options: [String: JSON]`, last of all.
@propertyWrapper
public struct Named: Decodable, Sendable {
    public var wrappedValue: [String: JSON] = [:]
    /// Set by the probe at registration.
    private var key: Int?

    public init() {}

    public init(from decoder: any Decoder) throws {
        if let call = decoder as? ArgumentDecoder {
            let members = try call.takeCurrentJSON().members ?? []
            wrappedValue = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        } else if let probe = decoder as? ProbeDecoder {
            key = probe.noteArgument(of: [String: JSON].self)
        } else {
            wrappedValue = try [String: JSON](from: decoder)
        }
    }
}

extension Rest: ArgumentProperty {
    var keyIndex: Int? { key }
    var kind: ArgumentKind { .rest }
    func defaultJSON() -> JSON? { nil }
}

extension Named: ArgumentProperty {
    var keyIndex: Int? { key }
    var kind: ArgumentKind { .named }
    func defaultJSON() -> JSON? { nil }
}
