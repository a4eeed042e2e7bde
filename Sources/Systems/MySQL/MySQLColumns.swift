// The columns of Celery's table of tasks, as MySQL and MariaDB have them (celery-protocol.md §4.7).

/// What the table that is there says of them.
struct MySQLColumns {
    struct Column {
        var name: String
        /// In lower case: "blob".
        var type: String
        /// Of texts: "latin1".
        var characterSet: String?
        /// Of texts and binary strings.
        var maxBytes: Int?
        var isAutoIncrement: Bool
    }

    private var byName: [String: Column] = [:]

    init(_ columns: [Column] = []) {
        for column in columns { byName[column.name] = column }
    }

    subscript(name: String) -> Column? { byName[name] }
    var isEmpty: Bool { byName.isEmpty }

    /// Those that may be missing in tables of older versions.
    static let nullable: [(name: String, type: String)] = [
        ("children", "LONGBLOB"), ("name", "VARCHAR(155)"), ("args", "LONGBLOB"), ("kwargs", "LONGBLOB"),
        ("worker", "VARCHAR(155)"), ("retries", "INTEGER"), ("queue", "VARCHAR(155)"), ("stamps", "LONGBLOB"),
    ]

    /// Celery makes these BLOB and TEXT, which end at 64 KiB. Made here they have room; it reads and writes both alike.
    static let long: [(name: String, type: String)] =
        [("result", "LONGBLOB"), ("traceback", "LONGTEXT")] + nullable.filter { $0.type == "LONGBLOB" }
}
