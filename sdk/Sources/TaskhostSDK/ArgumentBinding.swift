// Which value goes to which parameter, by Python's rules and in Python's words.

/// The arguments of one message, bound to a handler's parameters.
struct ArgumentBinding {
    /// One for each parameter; nil: take the default.
    let values: [JSON?]

    /// `body`: `[args, kwargs, embed]`, of which the last is the host's matter and may be large.
    init(body: UnsafeRawBufferPointer, to parameters: Parameters) throws(TaskError) {
        let args: JSON
        let kwargs: JSON
        do {
            let parts = try JSONScan.topLevelArray(body, limits: .trusted)
            guard parts.count >= 2 else { throw JSONError(.notAnArray, at: 0) }
            args = try JSON(parsing: UnsafeRawBufferPointer(rebasing: body[parts[0]]), limits: .trusted)
            kwargs = try JSON(parsing: UnsafeRawBufferPointer(rebasing: body[parts[1]]), limits: .trusted)
        } catch {
            throw TaskError(type: "ValueError", "the message's arguments can't be read: \(error)")
        }
        try self.init(args: args, kwargs: kwargs, to: parameters)
    }

    /// The order of the checks is CPython's, so that of several mistakes the same one is reported.
    private init(args: JSON, kwargs: JSON, to parameters: Parameters) throws(TaskError) {
        guard case .array(let positional) = args else {
            throw TaskError(
                type: "TypeError",
                "\(parameters.function)() argument after * must be an iterable, not \(args.pythonType)")
        }
        let keywords: [JSONMember]
        switch kwargs {
        case .object(let members): keywords = members
        case .null: keywords = []
        default:
            throw TaskError(
                type: "TypeError",
                "\(parameters.function)() argument after ** must be a mapping, not \(kwargs.pythonType)")
        }
        let all = parameters.singles
        let rest = parameters.all.firstIndex { $0.kind == .rest }
        let named = parameters.all.firstIndex { $0.kind == .named }
        var values = [JSON?](repeating: nil, count: parameters.all.count)
        var others: [JSONMember] = []
        for (index, value) in positional.prefix(all.count).enumerated() { values[index] = value }
        for keyword in keywords {
            guard let index = all.firstIndex(where: { $0.name == keyword.key }) else {
                others.append(keyword)
                if named != nil { continue }
                throw Self.typeError(parameters, "got an unexpected keyword argument '\(keyword.key)'")
            }
            guard values[index] == nil else {
                throw Self.typeError(parameters, "got multiple values for argument '\(keyword.key)'")
            }
            values[index] = keyword.value
        }
        guard rest != nil || positional.count <= all.count else {
            throw Self.typeError(parameters, Self.tooMany(positional.count, for: all))
        }
        let missing = all.indices.filter { values[$0] == nil && all[$0].fallback == nil }
        guard missing.isEmpty else {
            throw Self.typeError(parameters, Self.missing(missing.map { "'" + all[$0].name + "'" }))
        }
        if let rest { values[rest] = .array(Array(positional.dropFirst(all.count))) }
        if let named { values[named] = .object(others) }
        self.values = values
    }

    private static func typeError(_ parameters: Parameters, _ text: String) -> TaskError {
        TaskError(type: "TypeError", "\(parameters.function)() \(text)")
    }

    private static func tooMany(_ given: Int, for all: ArraySlice<Parameters.Parameter>) -> String {
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
