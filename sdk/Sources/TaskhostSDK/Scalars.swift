// Numbers, texts and booleans: what is accepted for what, as strictly as Python's own converters.

enum Scalars {
    /// Integers only: `1.0` is a float and no integer, `true` is no number.
    static func integer<Number: FixedWidthInteger>(
        _ json: JSON, as type: Number.Type, at place: ValuePlace
    ) throws -> Number {
        switch json {
        case .int(let value):
            guard let number = Number(exactly: value) else { throw overflow(type, at: place) }
            return number
        case .bigInteger(let digits):
            guard let number = Number(digits) else { throw overflow(type, at: place) }
            return number
        default:
            throw error(place, "'\(json.pythonType)' object cannot be interpreted as an integer")
        }
    }

    static func double(_ json: JSON, at place: ValuePlace) throws -> Double {
        switch json {
        case .double(let value): return value
        case .int(let value): return Double(value)
        case .bigInteger(let digits):
            guard let value = Double(digits), value.isFinite else {
                throw TaskError(
                    type: "OverflowError", "\(place): int too large to convert to float")
            }
            return value
        default: throw error(place, "must be real number, not \(json.pythonType)")
        }
    }

    static func string(_ json: JSON, at place: ValuePlace) throws -> String {
        if case .string(let value) = json { return value }
        guard let value = TypedValue.text(json) else { throw wrongType(json, expected: "str", at: place) }
        return value
    }

    static func bool(_ json: JSON, at place: ValuePlace) throws -> Bool {
        guard case .bool(let value) = json else { throw wrongType(json, expected: "bool", at: place) }
        return value
    }

    static func wrongType(_ json: JSON, expected: String, at place: ValuePlace) -> TaskError {
        TaskError(type: "TypeError", "\(place) must be \(expected), not \(json.pythonType)")
    }

    private static func error(_ place: ValuePlace, _ text: String) -> TaskError {
        TaskError(type: "TypeError", "\(place): \(text)")
    }

    private static func overflow(_ type: Any.Type, at place: ValuePlace) -> TaskError {
        TaskError(type: "OverflowError", "\(place): int does not fit \(type)")
    }
}
