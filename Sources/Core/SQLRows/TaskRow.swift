// One row of Celery's table of results (celery-protocol.md §4.7): from a meta document, and back.
import CeleryWire
public import Ports
public import TaskModel
import TaskhostJSON

/// What the columns of `celery_taskmeta` hold, whatever database they lie in.
public struct TaskRow: KeptResult, Sendable, Equatable {
    /// At most 155 characters, as the column takes them.
    public var taskID: String
    /// At most 50 characters.
    public var status: String
    /// As the serializer writes it; a pickle where it is written for old clients.
    public var result: [UInt8]?
    /// nil: it has not ended.
    public var dateDone: WallTime?
    public var traceback: String?
    /// Result tuples, as the serializer writes them; nil: none.
    public var children: [UInt8]?
    /// With `result_extended`.
    public var extended: Extended?

    public struct Extended: Sendable, Equatable {
        public var name: String?
        public var args: [UInt8]?
        public var kwargs: [UInt8]?
        public var worker: String?
        public var retries: Int32?
        public var queue: String?
        /// `{"stamped_headers": […], "stamps": {…}}`.
        public var stamps: [UInt8]?

        public init() {}

        public var isEmpty: Bool { self == Extended() }
    }

    public init(taskID: String, status: String) {
        self.taskID = taskID
        self.status = status
    }

    /// Memory that it keeps while it waits.
    public var bytes: Int {
        let extra = (extended?.args?.count ?? 0) + (extended?.kwargs?.count ?? 0) + (extended?.stamps?.count ?? 0)
        return 128 + (result?.count ?? 0) + (traceback?.utf8.count ?? 0) + (children?.count ?? 0) + extra
    }

    static let idLength = 155
    static let statusLength = 50
}

extension TaskRow {
    /// - Throws: `unfit`: the columns have no room for it, or it is no document.
    public init(_ record: ResultRecord, _ format: RowFormat) throws(StoreFailure) {
        self.init(taskID: record.taskID, status: record.state.rawValue)
        try Self.check(taskID, "task id", Self.idLength)
        try Self.check(status, "state", Self.statusLength)
        let members = try MetaMembers(record.meta)
        result = try format.result(members.bytes("result") ?? Array("null".utf8))
        dateDone = members.text("date_done").flatMap(ISO8601.parse)
        // PostgreSQL has no way to write U+0000; a traceback is for people to read.
        traceback = members.text("traceback").map { $0.utf8.contains(0) ? Self.withoutZeros($0) : $0 }
        children = try members.filled("children").map(format.column)
        guard members.has("worker") else { return }
        var extended = Extended()
        extended.name = members.text("name").map(Self.short)
        extended.args = try members.bytes("args").map(format.column)
        extended.kwargs = try members.bytes("kwargs").map(format.column)
        extended.worker = members.text("worker").map(Self.short)
        extended.retries = members.integer("retries").map { Int32(clamping: $0) }
        extended.queue = members.text("queue").map(Self.short)
        extended.stamps = try members.stamps().map(format.column)
        self.extended = extended
    }

    private static func check(_ text: String, _ what: String, _ most: Int) throws(StoreFailure) {
        guard text.unicodeScalars.count <= most else {
            throw StoreFailure("Its \(what) has more than \(most) characters, all that the column takes", .unfit)
        }
        guard !text.utf8.contains(0) else { throw StoreFailure("Its \(what) holds U+0000", .unfit) }
    }

    /// For people only: better shortened than not stored.
    private static func short(_ text: String) -> String {
        let plain = withoutZeros(text)
        guard plain.unicodeScalars.count > idLength else { return plain }
        return String(String.UnicodeScalarView(plain.unicodeScalars.prefix(idLength)))
    }

    private static func withoutZeros(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }))
    }
}

extension TaskRow {
    /// The document as other stores keep it (celery-protocol.md §4.1), without `group_id` and `parent_id`, which no
    /// column holds.
    /// - Throws: `unfit`: a column holds what cannot be read.
    public func document(_ format: RowFormat) throws(StoreFailure) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(192 + (result?.count ?? 0))
        out.append(contentsOf: #"{"status":"#.utf8)
        JSONWriter.append(status, into: &out)
        out.append(contentsOf: #","result":"#.utf8)
        out.append(contentsOf: try format.value(result, "result", of: taskID))
        Self.member("traceback", traceback, into: &out)
        out.append(contentsOf: #","children":"#.utf8)
        // Celery writes NULL for none.
        out.append(contentsOf: children == nil ? Array("[]".utf8) : try format.value(children, "children", of: taskID))
        Self.member("date_done", dateDone.map(ISO8601.format), into: &out)
        if let extended { try append(extended, format, into: &out) }
        Self.member("task_id", taskID, into: &out)
        out.append(UInt8(ascii: "}"))
        return out
    }

    private func append(
        _ extended: Extended, _ format: RowFormat, into out: inout [UInt8]
    ) throws(StoreFailure) {
        Self.member("name", extended.name, into: &out)
        out.append(contentsOf: #","args":"#.utf8)
        out.append(contentsOf: try format.value(extended.args, "args", of: taskID))
        out.append(contentsOf: #","kwargs":"#.utf8)
        out.append(contentsOf: try format.value(extended.kwargs, "kwargs", of: taskID))
        Self.member("worker", extended.worker, into: &out)
        out.append(contentsOf: #","retries":"#.utf8)
        out.append(contentsOf: (extended.retries.map { "\($0)" } ?? "null").utf8)
        Self.member("queue", extended.queue, into: &out)
        guard let stamps = extended.stamps else { return }
        let members = try MetaMembers(try format.value(stamps, "stamps", of: taskID))
        guard let names = members.bytes("stamped_headers") else { return }
        out.append(contentsOf: #","stamped_headers":"#.utf8)
        out.append(contentsOf: names)
        for (name, value) in try MetaMembers(members.bytes("stamps") ?? Array("{}".utf8)).all() {
            out.append(contentsOf: ",\"".utf8)
            out.append(contentsOf: name)
            out.append(contentsOf: "\":".utf8)
            out.append(contentsOf: value)
        }
    }

    private static func member(_ key: String, _ value: String?, into out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(key)\":".utf8)
        if let value {
            JSONWriter.append(value, into: &out)
        } else {
            out.append(contentsOf: "null".utf8)
        }
    }
}
