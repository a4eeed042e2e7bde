// Headers of other systems' context (W3C baggage, Sentry's trace …): what follows a task has them as the task had them.
public import TaskModel

public enum CarriedHeaders {
    /// Bytes of a value; longer ones stay behind: W3C requires no more baggage than this.
    private static let longest = 8192
    /// Celery's clients, Sentry's among them, write headers of their own here as well: Python's tasks find them there.
    private static let nested = "headers"

    /// Those of these names that the message has.
    public static func of(_ headers: FieldTable, names: [String]) -> FieldTable {
        guard !names.isEmpty else { return [:] }
        var carried = chosen(headers, names)
        if case .table(let inner)? = headers[nested] {
            let some = chosen(inner, names)
            if !some.fields.isEmpty { carried[nested] = .table(some) }
        }
        return carried
    }

    /// Under what is there already.
    public static func put(_ carried: FieldTable, into headers: inout FieldTable) {
        for field in carried.fields {
            switch (headers[field.key], field.value) {
            case (nil, _): headers[field.key] = field.value
            case (.table(var own)?, .table(let inner)) where field.key == nested:
                put(inner, into: &own)
                headers[nested] = .table(own)
            default: break
            }
        }
    }

    private static func chosen(_ headers: FieldTable, _ names: [String]) -> FieldTable {
        var chosen: FieldTable = [:]
        for name in names where name != nested {
            if let text = headers[name]?.text, text.utf8.count <= longest { chosen[name] = .string(text) }
        }
        return chosen
    }
}
