// Which value goes to which parameter, by Python's rules and in Python's words.

/// The arguments of one message, bound to a handler's parameters.
struct ArgumentBinding {
    /// One for each parameter; nil: take the default.
    let values: [JSON?]

    /// The order of the checks is CPython's, so that of several mistakes the same one is reported.
    init(body: JSON, to parameters: Parameters) throws(TaskError) {
        guard case .array(let parts) = body, parts.count >= 2, case .array(let positional) = parts[0] else {
            throw TaskError(type: "TypeError", "the message's body is not [args, kwargs, embed]")
        }
        let keywords: [JSONMember]
        switch parts[1] {
        case .object(let members): keywords = members
        case .null: keywords = []
        default:
            throw TaskError(
                type: "TypeError",
                "\(parameters.function)() argument after ** must be a mapping, not \(parts[1].pythonType)")
        }
        let all = parameters.all
        var values = [JSON?](repeating: nil, count: all.count)
        for (index, value) in positional.prefix(all.count).enumerated() { values[index] = value }
        for keyword in keywords {
            guard let index = all.firstIndex(where: { $0.name == keyword.key }) else {
                throw Self.typeError(parameters, "got an unexpected keyword argument '\(keyword.key)'")
            }
            guard values[index] == nil else {
                throw Self.typeError(parameters, "got multiple values for argument '\(keyword.key)'")
            }
            values[index] = keyword.value
        }
        guard positional.count <= all.count else {
            throw Self.typeError(parameters, Self.tooMany(positional.count, for: all))
        }
        let missing = all.indices.filter { values[$0] == nil && all[$0].fallback == nil }
        guard missing.isEmpty else {
            throw Self.typeError(parameters, Self.missing(missing.map { "'" + all[$0].name + "'" }))
        }
        self.values = values
    }

    private static func typeError(_ parameters: Parameters, _ text: String) -> TaskError {
        TaskError(type: "TypeError", "\(parameters.function)() \(text)")
    }

    private static func tooMany(_ given: Int, for all: [Parameters.Parameter]) -> String {
        let required = all.count { $0.fallback == nil }
        let verb = given == 1 ? "was" : "were"
        if required == all.count {
            let plural = all.count == 1 ? "" : "s"
            return "takes \(all.count) positional argument\(plural) but \(given) \(verb) given"
        }
        return "takes from \(required) to \(all.count) positional arguments but \(given) \(verb) given"
    }

    private static func missing(_ names: [String]) -> String {
        let list =
            switch names.count {
            case 1: names[0]
            case 2: names[0] + " and " + names[1]
            default: names.dropLast().joined(separator: ", ") + ", and " + names[names.count - 1]
            }
        return "missing \(names.count) required positional argument\(names.count == 1 ? "" : "s"): \(list)"
    }
}
