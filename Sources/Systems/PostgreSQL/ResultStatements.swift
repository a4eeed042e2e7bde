// Every statement on Celery's tables. Each stands for many tasks at once: lists go in as arrays.
import Ports
import SQLRows
import TaskModel

struct ResultStatements {
    let tables: ResultTables
    /// That the table of tasks has.
    var columns: Set<String> = []

    private var table: String { tables.task.quoted("\"") }
    /// As a text: what `nextval` takes.
    private var sequence: String { TableName.quoted(tables.taskSequence.quoted("\""), "'") }

    /// One column of many rows.
    private struct Column: Sendable {
        let name: String
        let type: String
        let parameter: @Sendable ([TaskRow]) -> Parameter
    }

    private static let plain: [Column] = [
        Column(name: "task_id", type: "text[]") { .texts($0.map(\.taskID)) },
        Column(name: "status", type: "text[]") { .texts($0.map(\.status)) },
        Column(name: "result", type: "bytea[]") { .bytes($0.map(\.result)) },
        // Into a column without a time zone by the session's, as Celery's own values go.
        Column(name: "date_done", type: "timestamptz[]") { .times($0.map(\.dateDone)) },
        Column(name: "traceback", type: "text[]") { .texts($0.map(\.traceback)) },
        Column(name: "children", type: "bytea[]") { .bytes($0.map(\.children)) },
    ]

    private static let extended: [Column] = [
        Column(name: "name", type: "text[]") { .texts($0.map(\.extended?.name)) },
        Column(name: "args", type: "bytea[]") { .bytes($0.map(\.extended?.args)) },
        Column(name: "kwargs", type: "bytea[]") { .bytes($0.map(\.extended?.kwargs)) },
        Column(name: "worker", type: "text[]") { .texts($0.map(\.extended?.worker)) },
        Column(name: "retries", type: "int4[]") { .integers($0.map(\.extended?.retries)) },
        Column(name: "queue", type: "text[]") { .texts($0.map(\.extended?.queue)) },
        Column(name: "stamps", type: "bytea[]") { .bytes($0.map(\.extended?.stamps)) },
    ]

    /// One transaction.
    func statements(for work: ResultWork<TaskRow>) -> [Statement] {
        switch work {
        case .store(let rows): [store(rows)]
        case .forget(let ids): [forget(ids)]
        case .fetch(let ids): [fetch(ids)]
        case .look(let seen): [changes(seen)]
        case .sweep(let seconds, let limit):
            [
                sweep(tables.group, olderThanSeconds: seconds, limit: limit),
                sweep(tables.task, olderThanSeconds: seconds, limit: limit),
            ]
        }
    }

    /// - Parameter rows: of the last statement of the work.
    static func answer(_ rows: [[[UInt8]?]], to work: ResultWork<TaskRow>) -> WorkAnswer<TaskRow> {
        switch work {
        case .store, .forget: .rows([])
        case .fetch, .look: .rows(rows.compactMap(row))
        case .sweep:
            .count(rows.first?.first.flatMap { $0 }.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0)
        }
    }

    /// - Parameter rows: each task once.
    private func store(_ rows: [TaskRow]) -> Statement {
        // Whoever stores at the same time locks the same rows in the same order.
        let rows = rows.sorted { $0.taskID < $1.taskID }
        let all = rows.contains { $0.extended != nil } ? Self.plain + Self.extended : Self.plain
        let used = all.filter { columns.contains($0.name) }
        let names = used.map(\.name).joined(separator: ", ")
        let arrays = used.enumerated().map { "$\($0.offset + 1)::\($0.element.type)" }.joined(separator: ", ")
        let changes = used.dropFirst().map { "\($0.name) = EXCLUDED.\($0.name)" }.joined(separator: ", ")
        return Statement(
            sql: """
                INSERT INTO \(table) AS kept (id, \(names))
                SELECT nextval(\(sequence)), given.*
                FROM unnest(\(arrays)) AS given(\(names))
                ON CONFLICT (task_id) DO UPDATE SET \(changes) WHERE kept.status IS DISTINCT FROM 'SUCCESS'
                """, parameters: used.map { $0.parameter(rows) })
    }

    private func fetch(_ ids: [String]) -> Statement {
        Statement(
            sql: "SELECT \(selected), '' FROM \(table) AS kept WHERE task_id = ANY($1::text[])",
            parameters: [.texts(ids)])
    }

    /// What has changed since it was seen.
    /// - Parameter seen: for each task the version that was seen last; empty: none.
    private func changes(_ seen: [(id: String, version: String)]) -> Statement {
        Statement(
            sql: """
                SELECT \(selected), kept.xmin::text FROM \(table) AS kept
                JOIN unnest($1::text[], $2::text[]) AS seen(task_id, version) ON kept.task_id = seen.task_id
                WHERE kept.xmin::text <> seen.version
                """, parameters: [.texts(seen.map(\.id)), .texts(seen.map(\.version))])
    }

    private func forget(_ ids: [String]) -> Statement {
        Statement(sql: "DELETE FROM \(table) WHERE task_id = ANY($1::text[])", parameters: [.texts(ids)])
    }

    /// What `celery.backend_cleanup` does, a part at a time and past what others are at.
    private func sweep(_ tableName: TableName, olderThanSeconds seconds: Double, limit: Int) -> Statement {
        let table = tableName.quoted("\"")
        return Statement(
            sql: """
                DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE date_done < \(Self.deadline("$1"))
                LIMIT \(limit) FOR UPDATE SKIP LOCKED)
                """, parameters: [.double(seconds)])
    }

    private static func deadline(_ seconds: String) -> String {
        "(now() - make_interval(secs => \(seconds)::float8))::timestamp"
    }

    private static let read = [
        "task_id", "status", "result", "date_done", "traceback", "children", "name", "args", "kwargs", "worker",
        "retries", "queue", "stamps",
    ]

    private var selected: String {
        Self.read.map { name in
            guard columns.contains(name) else { return "NULL" }
            switch name {
            case "date_done": return "kept.date_done::timestamptz"
            case "result", "children", "args", "kwargs", "stamps", "retries": return "kept.\(name)"
            default: return "kept.\(name)::text"
            }
        }.joined(separator: ", ")
    }

    /// - Returns: the row, and its version; nil: it has no id.
    private static func row(_ cells: [[UInt8]?]) -> VersionedRow? {
        func text(_ index: Int) -> String? { cells[index].map { String(decoding: $0, as: UTF8.self) } }
        guard cells.count == read.count + 1, let id = text(0) else { return nil }
        var row = TaskRow(taskID: id, status: text(1) ?? TaskState.pending.rawValue)
        row.result = cells[2]
        row.dateDone = cells[3].flatMap(BinaryValue.time)
        row.traceback = text(4)
        row.children = cells[5]
        var extended = TaskRow.Extended()
        extended.name = text(6)
        extended.args = cells[7]
        extended.kwargs = cells[8]
        extended.worker = text(9)
        extended.retries = cells[10].flatMap(BinaryValue.integer)
        extended.queue = text(11)
        extended.stamps = cells[12]
        if !extended.isEmpty { row.extended = extended }
        return (row, text(13) ?? "")
    }
}
