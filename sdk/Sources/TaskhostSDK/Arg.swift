// One argument of a task, as a property.

/// An argument: required, or with the default it is given.
///
///     @Arg var path: String       // required
///     @Arg var width = 800        // 800 when the message names none
///     @Arg var title: String?     // nil when the message names none
///
/// A default is evaluated once, while the bundle loads, and then copied, as in Python.
@propertyWrapper
public struct Arg<Value: Codable & Sendable>: Decodable, Sendable {
    private var value: Value?
    /// Set by the probe at registration: which of the decoded keys this property belongs to.
    private var key: Int?

    public init() {
        // A property of optional type starts as nil everywhere in Swift; so does this one.
        if let optional = Value.self as? any OptionalValue.Type, let null = optional.null as? Value { value = null }
    }

    public init(wrappedValue: Value) {
        value = wrappedValue
    }

    public init(from decoder: any Decoder) throws {
        if let call = decoder as? ArgumentDecoder {
            self = try call.takeCurrent()
        } else if let probe = decoder as? ProbeDecoder {
            key = probe.noteArgument(of: Value.self)
        } else {
            value = try Value(from: decoder)
        }
    }

    public var wrappedValue: Value {
        get {
            guard let value else {
                preconditionFailure("an @Arg was read before it was set: give the handler this argument first")
            }
            return value
        }
        set { value = newValue }
    }
}

/// `Optional` of whatever: other types have nil literals, too, but no default by that.
private protocol OptionalValue {
    static var null: Self { get }
}

extension Optional: OptionalValue {
    fileprivate static var null: Wrapped? { nil }
}

/// What registration reads from a property without knowing its type.
protocol ArgumentProperty: Sendable {
    var kind: ArgumentKind { get }
    /// The position among the decoded keys, on an instance the probe made.
    var keyIndex: Int? { get }
    /// JSON of the default, nil when the argument is required.
    func defaultJSON() throws -> JSON?
}

/// Which of a call's arguments a property takes.
enum ArgumentKind: Sendable {
    case one
    /// The positional ones that are left over.
    case rest
    /// The keyword ones that are left over.
    case named

    /// What stands before its name in a signature.
    var stars: String {
        switch self {
        case .one: ""
        case .rest: "*"
        case .named: "**"
        }
    }
}

/// As part of a call that is to be sent.
extension Arg: Encodable {
    public func encode(to encoder: any Encoder) throws {
        guard let value else {
            throw EncodingError.invalidValue(
                self, .init(codingPath: encoder.codingPath, debugDescription: "this argument has not been set"))
        }
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

extension Arg: ArgumentProperty {
    var kind: ArgumentKind { .one }
    var keyIndex: Int? { key }

    func defaultJSON() throws -> JSON? {
        try value.map { try JSON(encoding: $0) }
    }
}
