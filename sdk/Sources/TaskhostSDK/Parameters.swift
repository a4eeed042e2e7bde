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

    let all: [Parameter]

    /// Asks `Handler` for its properties (an instance with nothing but defaults) and for its coding keys (an instance
    /// decoded from a probe that tags each property with its key); the tags tell which key is whose.
    init<Handler: TaskHandler>(of handler: Handler.Type) throws(RegistrationError) {
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
        let singles = parameters.prefix { $0.kind == .one }
        if let late = singles.indices.dropFirst().first(where: {
            singles[$0].defaultJSON == nil && singles[$0 - 1].defaultJSON != nil
        }) {
            throw RegistrationError(
                "\(name): '\(singles[late].name)' has no default but follows '\(singles[late - 1].name)', "
                    + "which has one: declare required arguments first")
        }
        switch parameters.dropFirst(singles.count).map(\.kind) {
        case [], [.rest], [.named], [.rest, .named]: break
        default:
            throw RegistrationError(
                "\(name): declare every @Arg first, then at most one @Rest, then at most one @Named")
        }
        self.all = parameters
    }

    /// What the host binds by and shows: "path:String,width:Int=800,*others:[JSON]->Report".
    func signature(result: Any.Type) -> String {
        let texts = all.map { parameter in
            let named = parameter.kind.stars + parameter.name + ":" + parameter.type
            return named + (parameter.defaultJSON.map { "=" + $0 } ?? "")
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
