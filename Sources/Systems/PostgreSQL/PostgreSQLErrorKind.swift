// Sorts what PostgreSQL answers, by its SQLSTATE: wait and try again, or tell the caller.
import Ports
import SQLRows

/// An error as the server words it.
struct ServerError: Error, Sendable {
    /// Five characters; empty: libpq's own.
    var state: String
    var message: String
}

extension SQLErrorKind {
    init(_ error: ServerError, at address: PostgreSQLAddress) {
        let place = "PostgreSQL at \(address)"
        switch (error.state, error.state.prefix(2)) {
        case ("25006", _):
            self = .reconnect("\(place) takes no writes (a standby, or read-only): point the address at the primary")
        case ("57P01", _), ("57P02", _), ("57P03", _), ("57P04", _), (_, "08"):
            self = .reconnect("\(place) ends its connections: \(error.message)")
        case ("42P01", _), ("42703", _), ("3F000", _), ("26000", _), ("0A000", _):
            self = .reconnect("\(place) lacks what is needed: \(error.message)")
        case ("42501", _):
            self = .refused(
                StoreFailure(
                    "\(place) does not let user '\(address.user ?? "?")' do what is needed: \(error.message)",
                    .forbidden,
                    fix: "GRANT SELECT, INSERT, UPDATE, DELETE on the tables and USAGE on their sequences to it"))
        // A sequence or key has come to the end of its type: the table's fault, not the record's.
        case ("22003", _), ("2200H", _):
            self = .passing("\(place) has no more numbers for rows: \(error.message)")
        case (_, "22"), ("54000", _), ("23502", _), ("23514", _):
            self = .unfit(StoreFailure("\(place) does not take the record: \(error.message)", .unfit))
        case ("53100", _): self = .passing("\(place) has no room on its disk: \(error.message)")
        // A deadlock, or rows that changed under it.
        case ("40001", _), ("40P01", _): self = .contended
        case (_, "53"), (_, "55"), (_, "57"), (_, "40"), (_, "23"):
            self = .passing("\(place) cannot answer now: \(error.message)")
        default:
            // Perhaps a pooler's, or a newer server's: what we do not know may pass.
            self = .passing("\(place) refused (\(error.state)): \(error.message)")
        }
    }

    /// Of a connection that was not made. nil: the server, or the way to it, is away.
    /// - Parameter text: libpq's message, as it keeps no SQLSTATE of a refused login.
    static func refusal(_ text: String, at address: PostgreSQLAddress) -> StoreFailure? {
        let signs = [
            "authentication failed", "no password supplied", "does not exist", "pg_hba.conf", "certificate",
            "not permitted to log in", "permission denied for database", "invalid connection option",
            "does not support SSL", "invalid sslmode", "invalid port", "SSL error", "private key", "root.crt",
        ]
        guard signs.contains(where: { text.contains($0) }) else { return nil }
        return StoreFailure(
            "PostgreSQL at \(address) refused us: \(text)", .refused,
            fix: "Check user, password, database and TLS parameters of the address, and the server's pg_hba.conf")
    }
}
