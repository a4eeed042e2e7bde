// Every statement on Celery's tables in MySQL and MariaDB, as text.
import CeleryWire
import SQLRows
import TaskModel

struct MySQLStatements {
    let tables: ResultTables
    let columns: MySQLColumns

    private var table: String { tables.task.quoted("`") }

    private static let plain = ["task_id", "status", "result", "date_done", "traceback", "children"]
    private static let extended = ["name", "args", "kwargs", "worker", "retries", "queue", "stamps"]

    /// Each a transaction; the answer of the last one counts.
    func statements(for work: ResultWork<TaskRow>) -> [[UInt8]] {
        switch work {
        case .store(let rows): [store(rows)]
        case .forget(let ids): [over(ids, "DELETE FROM \(table)")]
        case .fetch(let ids): [over(ids, "SELECT \(selected), '' FROM \(table)")]
        case .look(let seen): [changes(seen)]
        case .sweep(let seconds, let limit): [sweep(tables.group, seconds, limit), sweep(tables.task, seconds, limit)]
        }
    }

    private func store(_ rows: [TaskRow]) -> [UInt8] {
        // Whoever stores at the same time locks the same rows in the same order.
        let rows = rows.sorted { $0.taskID < $1.taskID }
        let all = rows.contains { $0.extended != nil } ? Self.plain + Self.extended : Self.plain
        let used = all.filter { columns[$0] != nil }
        let counts = columns["id"]?.isAutoIncrement ?? false
        let names = (counts ? [] : ["id"]) + used
        var text = SQLText("INSERT INTO \(table) (\(names.map { "`\($0)`" }.joined(separator: ","))) VALUES ")
        for (index, row) in rows.enumerated() {
            text.add(index == 0 ? "(" : ",(")
            if !counts { text.add("NEXTVAL(\(tables.taskSequence.quoted("`"))),") }
            for (place, name) in used.enumerated() {
                if place > 0 { text.add(",") }
                add(row, name, into: &text)
            }
            text.add(")")
        }
        // A number that is in use already would otherwise write over the row of another task: there is no NULL in `id`.
        text.add(" ON DUPLICATE KEY UPDATE `id` = IF(`task_id` = VALUES(`task_id`), `id`, NULL)")
        // From left to right, each seeing what was set before it: the state comes last.
        for name in used.filter({ $0 != "task_id" && $0 != "status" }) + ["status"] {
            text.add(",`\(name)` = IF(`status` <=> 'SUCCESS', `\(name)`, VALUES(`\(name)`))")
        }
        return text.bytes
    }

    private func add(_ row: TaskRow, _ name: String, into text: inout SQLText) {
        switch name {
        case "task_id": text.add(text: row.taskID)
        case "status": text.add(text: row.status)
        case "result": text.add(binary: row.result)
        case "date_done": text.add(text: row.dateDone.map(Self.date))
        case "traceback": add(forPeople: row.traceback, name, into: &text)
        case "children": text.add(binary: row.children)
        case "name": add(forPeople: row.extended?.name, name, into: &text)
        case "args": text.add(binary: row.extended?.args)
        case "kwargs": text.add(binary: row.extended?.kwargs)
        case "worker": add(forPeople: row.extended?.worker, name, into: &text)
        case "retries": text.add(row.extended?.retries.map { "\($0)" } ?? "NULL")
        case "queue": add(forPeople: row.extended?.queue, name, into: &text)
        default: text.add(binary: row.extended?.stamps)
        }
    }

    /// Better shortened, and without characters that the table's character set lacks, than not stored. (The server would
    /// refuse them: CONVERT fails, too, in strict mode.)
    private func add(forPeople value: String?, _ name: String, into text: inout SQLText) {
        guard let value, let column = columns[name] else { return text.add("NULL") }
        let known = Self.known(value, in: column.characterSet ?? "utf8mb4")
        text.add(text: Self.prefix(known, ofBytes: column.maxBytes ?? .max))
    }

    private static let understood: Set<String> = ["ascii", "latin1", "utf8", "utf8mb3"]

    private static func known(_ text: String, in set: String) -> String {
        let isKnown: (Unicode.Scalar) -> Bool
        switch set {
        case "utf8mb4": return text
        case "utf8", "utf8mb3": isKnown = { $0.value <= 0xFFFF }
        // MySQL's is Windows' 1252: the range between is other characters there.
        case "latin1": isKnown = { $0.isASCII || (0xA0...0xFF).contains($0.value) }
        default: isKnown = \.isASCII
        }
        guard !text.unicodeScalars.allSatisfy(isKnown) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isKnown($0) ? $0 : "?" }))
    }

    /// At the end of a character.
    private static func prefix(_ text: String, ofBytes most: Int) -> String {
        guard text.utf8.count > most else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: most)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text.unicodeScalars[..<end])
    }

    /// In UTC and with its fraction, which the column drops, as Celery sends it.
    private static func date(_ time: WallTime) -> String {
        String(ISO8601.format(time).dropLast("+00:00".count)).replacing("T", with: " ")
    }

    private func over(_ ids: [String], _ start: String) -> [UInt8] {
        var text = SQLText("\(start) WHERE `task_id` IN ")
        text.add(texts: ids.filter(mayBeThere))
        return text.bytes
    }

    /// To compare the column with what its character set lacks is an error, which all others asked for would share.
    private func mayBeThere(_ id: String) -> Bool {
        guard let set = columns["task_id"]?.characterSet, Self.understood.contains(set) else { return true }
        return Self.known(id, in: set) == id
    }

    /// Nothing numbers the states of a row, so what lies in it tells them apart. (Digests are of one character set; the
    /// columns are of several, which the server does not mix.)
    private static let version = """
        SHA1(CONCAT(SHA1(IFNULL(`status`, '')), IFNULL(SHA1(`date_done`), ''), IFNULL(SHA1(`result`), ''),
        IFNULL(SHA1(`traceback`), '')))
        """

    private func changes(_ seen: [(id: String, version: String)]) -> [UInt8] {
        var text = SQLText("SELECT \(selected), \(Self.version) FROM \(table) WHERE `task_id` IN ")
        let seen = seen.filter { mayBeThere($0.id) }
        text.add(texts: seen.map(\.id))
        text.add(" AND CONCAT(CONVERT(`task_id` USING utf8mb4), ' ', \(Self.version)) NOT IN ")
        text.add(texts: seen.map { "\($0.id) \($0.version)" })
        return text.bytes
    }

    /// What `celery.backend_cleanup` does, a part at a time. Dates are whole seconds here, rounded down: so is the limit.
    private func sweep(_ name: TableName, _ seconds: Double, _ limit: Int) -> [UInt8] {
        let whole = Int64(clamping: Int(min(seconds, 1e9).rounded(.up)))
        return SQLText(
            """
            DELETE FROM \(name.quoted("`")) WHERE `date_done` < UTC_TIMESTAMP() - INTERVAL \(whole) SECOND
            ORDER BY `date_done`, `id` LIMIT \(limit)
            """
        ).bytes
    }

    private var selected: String {
        (Self.plain + Self.extended).map { columns[$0] == nil ? "NULL" : "`\($0)`" }.joined(separator: ", ")
    }

    static func answer(_ answer: MySQLAnswer, to work: ResultWork<TaskRow>) -> WorkAnswer<TaskRow> {
        switch (work, answer) {
        case (.sweep, .changed(let count)): .count(count)
        case (.fetch, .rows(let rows)), (.look, .rows(let rows)): .rows(rows.compactMap(row))
        default: .rows([])
        }
    }

    private static func row(_ cells: [[UInt8]?]) -> VersionedRow? {
        func text(_ index: Int) -> String? { cells[index].map { String(decoding: $0, as: UTF8.self) } }
        guard cells.count == plain.count + extended.count + 1, let id = text(0) else { return nil }
        var row = TaskRow(taskID: id, status: text(1) ?? TaskState.pending.rawValue)
        row.result = cells[2]
        row.dateDone = text(3).flatMap { ISO8601.parse($0.replacing(" ", with: "T")) }
        row.traceback = text(4)
        row.children = cells[5]
        var extended = TaskRow.Extended()
        extended.name = text(6)
        extended.args = cells[7]
        extended.kwargs = cells[8]
        extended.worker = text(9)
        extended.retries = text(10).flatMap { Int32($0) }
        extended.queue = text(11)
        extended.stamps = cells[12]
        if !extended.isEmpty { row.extended = extended }
        return (row, text(13) ?? "")
    }
}
