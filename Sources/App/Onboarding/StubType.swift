// What a parameter's or result's type text means in other languages: C's short names, Swift's, and words of documentation.

indirect enum StubType: Equatable, Sendable {
    case integer
    case number
    case boolean
    case text
    case bytes
    case void
    case list(StubType)
    case map(StubType)
    case optional(StubType)
    /// Some JSON value.
    case any

    private static let names: [String: StubType] = [
        "i8": .integer, "i16": .integer, "i32": .integer, "i64": .integer, "u8": .integer, "u16": .integer,
        "u32": .integer, "u64": .integer, "f32": .number, "f64": .number, "bool": .boolean, "str": .text,
        "bytes": .bytes, "json": .any, "void": .void, "int": .integer, "float": .number, "dict": .map(.any),
        "list": .list(.any), "Int": .integer, "Int8": .integer, "Int16": .integer, "Int32": .integer, "Int64": .integer,
        "UInt": .integer, "UInt8": .integer, "UInt16": .integer, "UInt32": .integer, "UInt64": .integer,
        "Double": .number, "Float": .number, "Bool": .boolean, "String": .text, "JSON": .any, "Void": .void,
        "None": .void, "object": .map(.any),
    ]

    init(_ text: String) {
        // Who frees a text does not concern callers.
        let name = text.hasSuffix("_owned") ? String(text.dropLast(6)) : text
        if let known = Self.names[name] {
            self = known
        } else if name.hasSuffix("?") {
            self = .optional(StubType(String(name.dropLast())))
        } else if name == "[UInt8]" {
            self = .bytes
        } else if name.hasPrefix("["), name.hasSuffix("]") {
            let inner = name.dropFirst().dropLast()
            // [String:…]: JSON knows no other keys.
            if inner.hasPrefix("String:") {
                self = .map(StubType(String(inner.dropFirst("String:".count))))
            } else {
                self = inner.contains(":") ? .any : .list(StubType(String(inner)))
            }
        } else {
            self = .any
        }
    }

    var python: String {
        switch self {
        case .integer: "int"
        case .number: "float"
        case .boolean: "bool"
        case .text: "str"
        case .bytes: "bytes"
        case .void: "None"
        case .list(let inner): "list[\(inner.python)]"
        case .map(let inner): "dict[str, \(inner.python)]"
        case .optional(let inner): "Optional[\(inner.python)]"
        case .any: "Any"
        }
    }

    var swift: String {
        switch self {
        case .integer: "Int"
        case .number: "Double"
        case .boolean: "Bool"
        case .text: "String"
        case .bytes: "[UInt8]"
        case .void: "Void"
        case .list(let inner): "[\(inner.swift)]"
        case .map(let inner): "[String: \(inner.swift)]"
        case .optional(let inner): "\(inner.swift)?"
        case .any: "JSON"
        }
    }

    var typeScript: String {
        switch self {
        case .integer, .number: "number"
        case .boolean: "boolean"
        case .text: "string"
        case .bytes: "unknown"
        case .void: "null"
        case .list(let inner): "Array<\(inner.typeScript)>"
        case .map(let inner): "Record<string, \(inner.typeScript)>"
        case .optional(let inner): "\(inner.typeScript) | null"
        case .any: "unknown"
        }
    }
}
