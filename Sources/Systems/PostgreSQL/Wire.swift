// One connection of libpq's, without ever waiting in it. Every call to the library is in here.
import CPostgreSQL

/// From `start` to `finish`; used by one thread.
final class Wire {
    enum Progress { case reading, writing, done, failed }

    private let connection: OpaquePointer

    /// nil: no memory.
    init?(_ words: [(name: String, value: String)]) {
        let made = Self.withTexts(words.map(\.name)) { names in
            Self.withTexts(words.map(\.value)) { values in PQconnectStartParams(names, values, 0) }
        }
        guard let made else { return nil }
        connection = made
        // Notices ("already exists, skipping") would go to standard error.
        PQsetNoticeProcessor(made, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    /// < 0: there is none.
    var descriptor: Int32 { PQsocket(connection) }
    var isBad: Bool { PQstatus(connection) == CONNECTION_BAD }

    /// Of the server's process, as it was when we connected.
    var serverProcess: Int32 { PQbackendPID(connection) }

    /// libpq's last words, on one line.
    var message: String { Self.line(PQerrorMessage(connection)) }

    func poll() -> Progress {
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_READING: .reading
        case PGRES_POLLING_WRITING: .writing
        case PGRES_POLLING_OK: .done
        default: .failed
        }
    }

    /// Many statements under way at once from now on, none of them waited for.
    func enterPipeline() -> Bool { PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection) == 1 }

    /// - Returns: false: the connection is broken.
    func send(_ statement: Statement) -> Bool {
        let parameters = statement.parameters
        let lengths = parameters.map { Int32($0.bytes.count) }
        let formats = [Int32](repeating: 1, count: parameters.count)
        let sent = Self.withPointers(parameters) { values in
            PQsendQueryParams(
                connection, statement.sql, Int32(parameters.count), parameters.map(\.type), values, lengths, formats, 1)
        }
        guard sent == 1 else { return false }
        return statement.isContinued || PQpipelineSync(connection) == 1
    }

    /// nil: the connection is broken. True: more is to be written when the socket takes it.
    func flush() -> Bool? {
        let left = PQflush(connection)
        return left < 0 ? nil : left == 1
    }

    /// - Returns: false: the connection is broken.
    func read() -> Bool { PQconsumeInput(connection) == 1 }

    enum Piece {
        /// Nothing more for now.
        case none
        case answer(StatementAnswer)
        /// A statement of a transaction that an earlier one has broken.
        case skipped
        /// The end of one statement's answers.
        case endOfStatement
        case endOfTransaction
    }

    func next() -> Piece {
        guard PQisBusy(connection) == 0 else { return .none }
        guard let result = PQgetResult(connection) else { return .endOfStatement }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC: return .endOfTransaction
        case PGRES_PIPELINE_ABORTED: return .skipped
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: return .answer(.rows(Self.rows(result)))
        default:
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
            let primary = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { Self.line($0) }
            let text = primary ?? Self.line(PQresultErrorMessage(result))
            return .answer(.failed(ServerError(state: state, message: text)))
        }
    }

    /// What somebody has notified us of, after a LISTEN; nil: nothing waits.
    func notification() -> Notification? {
        guard let notice = PQnotifies(connection) else { return nil }
        defer { PQfreemem(notice) }
        return Notification(
            channel: String(cString: notice.pointee.relname), payload: String(cString: notice.pointee.extra))
    }

    private static func rows(_ result: OpaquePointer) -> [[[UInt8]?]] {
        let columns = PQnfields(result)
        // What INSERT, UPDATE and DELETE have changed: their number, as one row of text.
        guard columns > 0 else { return [[Array(String(cString: PQcmdTuples(result)).utf8)]] }
        return (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                    return nil
                }
                return Array(UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column))))
            }
        }
    }

    private static func line(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        return String(cString: text).split(whereSeparator: \.isNewline).map { $0.drop { $0.isWhitespace } }
            .joined(separator: "; ")
    }

    /// One block with all values, so that their pointers stay good for the call.
    private static func withPointers<Answer>(
        _ parameters: [Parameter], _ body: ([UnsafePointer<CChar>?]) -> Answer
    ) -> Answer {
        var block: [UInt8] = []
        block.reserveCapacity(parameters.reduce(1) { $0 + $1.bytes.count })
        for parameter in parameters { block += parameter.bytes }
        block.append(0)
        return block.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                var start = 0
                return body(
                    parameters.map { parameter in
                        defer { start += parameter.bytes.count }
                        return text.baseAddress.map { $0 + start }
                    })
            }
        }
    }

    private static func withTexts<Answer>(
        _ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> Answer
    ) -> Answer {
        var block: [CChar] = []
        var starts: [Int] = []
        for text in texts {
            starts.append(block.count)
            block.append(contentsOf: text.utf8.map { CChar(bitPattern: $0) })
            block.append(0)
        }
        return block.withUnsafeBufferPointer { buffer in
            body(starts.map { start in buffer.baseAddress.map { $0 + start } } + [nil])
        }
    }
}
