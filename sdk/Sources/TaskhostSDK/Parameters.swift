// A handler's parameters, learnt once while the bundle loads.

/// Names, types and defaults of one handler's arguments, in the order they bind by position.
struct Parameters: Sendable {
    struct Parameter: Sendable {
        var name: String
        var type: String
        var kind = ArgumentKind.one
        /// JSON text of the default; nil: required.
        var defaultJSON: String?
        /// The `Arg` that carries the default; nil: required.
        var fallback: (any ArgumentProperty)?
    }

    /// What clients read in errors: the task's name after the last dot.
    let function: String
    let all: [Parameter]
    var singles: ArraySlice<Parameter> { all.prefix { $0.kind == .one } }

    /// Asks `Handler` for its properties (an instance with nothing but defaults) and for its coding keys (an instance
    /// decoded from a probe that tags each property with its key); the tags tell which key is whose.
    init<Handler: TaskHandler>(of handler: Handler.Type, function: String) throws(RegistrationError) {
        let name = String(describing: handler)
        let probe = ProbeDecoder(handler: name)
        let tagged: Handler
        do {
            tagged = try Handler(from: probe)
        } catch let error as RegistrationError {
            throw error
        } catch {
            throw RegistrationError("\(name): its init(from:) can't be examined (\(error)); let the compiler write it")
        }
        var defaults: [String: any ArgumentProperty] = [:]
        for child in Mirror(reflecting: Handler()).children {
            if let label = child.label, let property = child.value as? any ArgumentProperty {
                defaults[label] = property
            }
        }
        var parameters: [Parameter] = []
        for child in Mirror(reflecting: tagged).children {
            guard let property = child.value as? any ArgumentProperty, let index = property.keyIndex else { continue }
            let found = probe.found[index]
            var parameter = Parameter(name: found.key, type: TypeNames.written(found.type), kind: property.kind)
            if let label = child.label, let standard = defaults[label] {
                do {
                    parameter.defaultJSON = try standard.defaultJSON().map { String(decoding: $0.bytes, as: UTF8.self) }
                } catch {
                    throw RegistrationError("\(name): the default of '\(found.key)' is no JSON: \(error)")
                }
                parameter.fallback = parameter.defaultJSON == nil ? nil : standard
            }
            parameters.append(parameter)
        }
        if let late = parameters.indices.dropFirst().first(where: {
            parameters[$0].defaultJSON == nil && parameters[$0 - 1].defaultJSON != nil
        }) {
            throw RegistrationError(
                "\(name): '\(parameters[late].name)' has no default but follows '\(parameters[late - 1].name)', "
                    + "which has one: declare required arguments first")
        }
        let singles = parameters.prefix { $0.kind == .one }
        switch parameters.dropFirst(singles.count).map(\.kind) {
        case [], [.rest], [.named], [.rest, .named]: break
        default:
            throw RegistrationError(
                "\(name): declare every @Arg first, then at most one @Rest, then at most one @Named")
        }
        self.function = function
        self.all = parameters
    }

    /// The manifest's text: "path:String,width:Int=800->Report".
    func signature(result: Any.Type) -> String {
        let texts = all.map { parameter in
            parameter.name + ":" + parameter.type + (parameter.defaultJSON.map { "=" + $0 } ?? "")
        }
        return texts.joined(separator: ",") + "->" + TypeNames.written(result)
    }
}

/// Why a bundle can't be registered: a sentence for its author.
struct RegistrationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
