// One connection of libmariadb's, by its calls that never wait. Every call to the library is in here.
import CMariaDB
import Glibc
import Ports
import TaskModel

/// An error as server or library words it.
struct MySQLError: Error, Sendable {
    /// Below 2000 or from 3000 on the server's, between them the library's own.
    var code: Int
    /// Five characters.
    var state: String
    var message: String

    static let lost = MySQLError(code: 2013, state: "HY000", message: "the connection was lost")
    /// The connection is of no more use.
    var endsConnection: Bool { (2000..<3000).contains(code) || code == 1153 }
}

enum MySQLAnswer {
    /// Of each column its bytes, as text where it is no binary string; nil: NULL.
    case rows([[[UInt8]?]])
    /// How many rows were changed.
    case changed(Int)
}

/// From `init` to `deinit`; used by one thread. One thing is under way at a time.
final class MySQLWire {
    enum Progress {
        /// `resume` is to be called when the socket is ready for this.
        case waiting(Readiness)
        case connected
        case answer(MySQLAnswer)
        case failed(MySQLError)
    }

    private enum Step { case idle, connecting, asking, storing }

    private let connection: UnsafeMutablePointer<MYSQL>
    private var step = Step.idle
    /// What the library still reads from while a step is under way.
    private var lent: [UnsafeMutablePointer<CChar>] = []
    private var statement: UnsafeMutableBufferPointer<CChar>?
    private var linked: UnsafeMutablePointer<MYSQL>?
    private var code: Int32 = 0
    private var stored: UnsafeMutablePointer<MYSQL_RES>?

    /// Of the stack that the library waits on: OpenSSL and a look-up of names run on it. (Its own default is 64 KiB.)
    private static let stackBytes: Int = 256 << 10

    /// nil: no memory.
    init?(_ tls: MySQLTLS) {
        guard let made = mysql_init(nil) else { return nil }
        connection = made
        set(MYSQL_OPT_NONBLOCK, Self.stackBytes)
        mysql_options(made, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options4(made, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "taskhost")
        // A server could otherwise ask for any file of ours.
        set(MYSQL_OPT_LOCAL_INFILE, UInt32(0))
        guard tls.demand != .none else { return }
        mysql_ssl_set(made, tls.key, tls.certificate, tls.ca, tls.caFolder, tls.cipher)
        if let password = tls.keyPassword { mysql_options(made, MARIADB_OPT_TLS_PASSPHRASE, password) }
        set(MYSQL_OPT_SSL_ENFORCE, CChar(tls.demand == .always ? 1 : 0))
        set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, CChar(tls.verifies ? 1 : 0))
    }

    deinit {
        // With nothing under way the server gets a farewell; otherwise the library would wait to say it.
        if step != .idle, descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        mysql_close(connection)
        for text in lent { free(text) }
        freeStatement()
    }

    private func set<Value>(_ option: mysql_option, _ value: Value) {
        withUnsafePointer(to: value) { _ = mysql_options(connection, option, $0) }
    }

    /// < 0: there is none.
    var descriptor: Int32 { mysql_get_socket(connection) }

    /// - Parameter host: name or number; nil: the Unix socket of the address, or the library's own.
    func connect(_ address: MySQLAddress, host: String?) -> Progress {
        step = .connecting
        if host != nil { set(MYSQL_OPT_PROTOCOL, MYSQL_PROTOCOL_TCP.rawValue) }
        let texts = [host, address.user, address.password, address.database, address.socket].map { text in
            text.flatMap { strdup($0) }
        }
        lent = texts.compactMap { $0 }
        return advance(
            mysql_real_connect_start(
                &linked, connection, texts[0], texts[1], texts[2], texts[3], UInt32(address.host?.port ?? 0), texts[4],
                0))
    }

    func ask(_ sql: [UInt8]) -> Progress {
        step = .asking
        let text = UnsafeMutableBufferPointer<CChar>.allocate(capacity: sql.count)
        sql.withUnsafeBytes { bytes in UnsafeMutableRawBufferPointer(text).copyMemory(from: bytes) }
        statement = text
        return advance(mysql_real_query_start(&code, connection, text.baseAddress, UInt(text.count)))
    }

    func resume(_ ready: Readiness) -> Progress {
        var status: Int32 = 0
        if ready.contains(.read) { status |= MYSQL_WAIT_READ }
        if ready.contains(.write) { status |= MYSQL_WAIT_WRITE }
        // A hang-up is found by reading, or by writing when nothing is read.
        if ready.contains(.hangup) { status |= MYSQL_WAIT_READ | MYSQL_WAIT_WRITE }
        return switch step {
        case .idle: .failed(.lost)
        case .connecting: advance(mysql_real_connect_cont(&linked, connection, status))
        case .asking: advance(mysql_real_query_cont(&code, connection, status))
        case .storing: advance(mysql_store_result_cont(&stored, connection, status))
        }
    }

    private func advance(_ status: Int32) -> Progress {
        guard status == 0 else {
            var interest: Readiness = []
            if status & (MYSQL_WAIT_READ | MYSQL_WAIT_EXCEPT) != 0 { interest.insert(.read) }
            if status & MYSQL_WAIT_WRITE != 0 { interest.insert(.write) }
            return .waiting(interest)
        }
        switch step {
        case .idle: return .failed(.lost)
        case .connecting:
            step = .idle
            return linked == nil ? .failed(error) : .connected
        case .asking:
            guard code == 0 else { return end(.failed(error)) }
            step = .storing
            return advance(mysql_store_result_start(&stored, connection))
        case .storing:
            guard let stored else {
                let isComplete = mysql_field_count(connection) == 0
                return end(
                    isComplete ? .answer(.changed(Int(clamping: mysql_affected_rows(connection)))) : .failed(error))
            }
            defer { mysql_free_result(stored) }
            self.stored = nil
            return end(.answer(.rows(Self.rows(stored))))
        }
    }

    private func end(_ progress: Progress) -> Progress {
        step = .idle
        freeStatement()
        return progress
    }

    private func freeStatement() {
        statement?.deallocate()
        statement = nil
    }

    private var error: MySQLError {
        let text = String(cString: mysql_error(connection)).split(whereSeparator: \.isNewline).joined(separator: "; ")
        let code = Int(mysql_errno(connection))
        return code == 0
            ? .lost : MySQLError(code: code, state: String(cString: mysql_sqlstate(connection)), message: text)
    }

    private static func rows(_ result: UnsafeMutablePointer<MYSQL_RES>) -> [[[UInt8]?]] {
        let columns = Int(mysql_num_fields(result))
        var rows: [[[UInt8]?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                (0..<columns).map { column in
                    row[column].map { Array(UnsafeRawBufferPointer(start: $0, count: Int(lengths[column]))) }
                })
        }
        return rows
    }
}
