// Where rows lie: Celery's tables by name, and the columns that both of its versions know.
public import Ports

/// A table by its schema and name; nil: the connection's own schema.
public struct TableName: Sendable, Equatable {
    public var schema: String?
    public var name: String

    public init(schema: String? = nil, name: String) {
        self.schema = schema
        self.name = name
    }

    /// "name" or "schema.name".
    public init(_ text: String) {
        if let dot = text.firstIndex(of: ".") {
            self.init(schema: String(text[..<dot]), name: String(text[text.index(after: dot)...]))
        } else {
            self.init(name: text)
        }
    }

    /// - Parameter quote: `"` or a backtick; one within is written twice.
    public func quoted(_ quote: Character) -> String {
        (schema.map { Self.quoted($0, quote) + "." } ?? "") + Self.quoted(name, quote)
    }

    public static func quoted(_ text: String, _ quote: Character) -> String {
        var out = String(quote)
        for character in text {
            if character == quote { out.append(quote) }
            out.append(character)
        }
        out.append(quote)
        return out
    }
}

public struct ResultTables: Sendable {
    public var task: TableName
    public var group: TableName
    public let taskSequence: TableName
    public let groupSequence: TableName

    /// As `database_table_names` and `database_table_schemas` say it; the sequences lie in the schemas of their tables.
    public init(_ options: ResultOptions) {
        task = TableName(options.taskTable ?? "celery_taskmeta")
        group = TableName(options.groupTable ?? "celery_tasksetmeta")
        taskSequence = TableName(schema: task.schema, name: "task_id_sequence")
        groupSequence = TableName(schema: group.schema, name: "taskset_id_sequence")
    }

}
