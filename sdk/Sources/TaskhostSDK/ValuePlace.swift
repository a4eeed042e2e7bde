// Where in the arguments a value stands, for error texts.

/// `argument 'route'`, `argument 'route.stops[3].name'`.
indirect enum ValuePlace: Sendable, CustomStringConvertible {
    case argument(String)
    case member(ValuePlace, String)
    case element(ValuePlace, Int)

    var description: String { "argument '\(path)'" }

    private var path: String {
        switch self {
        case .argument(let name): name
        case .member(let parent, let name): parent.path + "." + name
        case .element(let parent, let index): parent.path + "[\(index)]"
        }
    }

    var codingPath: [any CodingKey] {
        switch self {
        case .argument(let name): [PlaceKey(stringValue: name)]
        case .member(let parent, let name): parent.codingPath + [PlaceKey(stringValue: name)]
        case .element(let parent, let index): parent.codingPath + [PlaceKey(intValue: index)]
        }
    }
}

/// A coding key of any name.
struct PlaceKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}

extension JSON {
    /// The name of the Python type a client sent, for errors in Python's words.
    var pythonType: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .int, .bigInteger: "int"
        case .double: "float"
        case .string, .surrogates: "str"
        case .array: "list"
        case .object: "dict"
        }
    }
}
