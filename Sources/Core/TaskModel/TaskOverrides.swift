// What the operator says of single tasks: by name, or by a pattern of names.

/// A name says more than a pattern, a longer pattern more than a shorter one; what the one leaves open the other says.
public struct TaskOverrides: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private var said: [String: TaskOptions] = [:]
    /// With `*`; longest first.
    private var patterns: [String] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, TaskOptions)...) {
        for (name, options) in elements { self[name] = options }
    }

    /// Names and patterns, sorted.
    public var names: [String] { said.keys.sorted() }

    /// Of a task, all that holds for its name; nil: nothing does.
    public subscript(name: String) -> TaskOptions? {
        get {
            var made = said[name]
            for pattern in patterns where pattern != name && NamePattern.matches(pattern, name) {
                guard let more = said[pattern] else { continue }
                made = made.map { Self.filled($0, with: more) } ?? more
            }
            return made
        }
        set {
            said[name] = newValue
            patterns = said.keys.filter { $0.contains("*") }
                .sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
        }
    }

    private static func filled(_ options: TaskOptions, with more: TaskOptions) -> TaskOptions {
        var made = options
        for row in TaskOptionTable.rows where row.value(in: made) == nil {
            if let value = row.value(in: more) { row.set(value, in: &made) }
        }
        return made
    }
}
