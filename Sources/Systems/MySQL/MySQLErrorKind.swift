// Sorts what MySQL and MariaDB answer, by its number: wait and try again, or tell the caller.
import Ports
import SQLRows

extension SQLErrorKind {
    init(_ error: MySQLError, at address: MySQLAddress, _ tables: ResultTables) {
        let place = "MySQL at \(address)"
        switch (error.code, error.state.prefix(2)) {
        // --read-only and its like, a read-only transaction, the server in read-only mode.
        case (1290, _), (1792, _), (1836, _):
            self = .reconnect(
                "\(place) takes no writes (a replica, or read-only: \(error.message)): point the address at the primary"
            )
        // The connection or the server is being ended.
        case (1053, _), (1077...1080, _), (1152, _), (1927, _), (4031, _), (2000..<3000, _):
            self = .reconnect("\(place) ends its connections: \(error.message)")
        // Unknown table, column, database or sequence.
        case (1146, _), (1054, _), (1049, _), (1051, _), (4091, _):
            self = .reconnect("\(place) lacks what is needed: \(error.message)")
        case (1046, _):
            self = .refused(
                StoreFailure(
                    "\(place) is named without a database", .refused, fix: "Write mysql://host/DATABASE"))
        case (1044, _), (1045, _), (1142, _), (1143, _), (1227, _), (1370, _), (1410, _):
            self = .refused(
                StoreFailure(
                    "\(place) does not let user '\(address.user ?? "?")' do what is needed: \(error.message)",
                    .forbidden,
                    fix: "GRANT SELECT, INSERT, UPDATE, DELETE on the tables (and on their sequences) to it"))
        case (1213, _), (1020, _): self = .contended
        // The column `id` is at its end, or its numbers collide: the table's fault, not the record's.
        case (1062, _), (1467, _), (4084, _), (167, _): self = Self.noNumber(error, place, tables)
        case (1264, _) where Self.isAboutNumbers(error), (1048, _) where Self.isAboutNumbers(error):
            self = Self.noNumber(error, place, tables)
        case (1406, _): self = .unfit(Self.tooLong(error, place, tables))
        case (1366, _), (1267, _), (1292, _), (1300, _), (1977, _), (3854, _), (4025, _), (3819, _), (_, "22"),
            (1048, _):
            self = .unfit(StoreFailure("\(place) does not take the record: \(error.message)", .unfit))
        case (1114, _), (1021, _), (1026, _), (1030, _), (3, _):
            self = .passing("\(place) has no room on its disk: \(error.message)")
        case (1040, _), (1203, _), (1205, _), (1226, _), (1317, _), (1969, _), (3024, _), (1041, _):
            self = .passing("\(place) cannot answer now: \(error.message)")
        default:
            // Perhaps a proxy's, or a newer server's: what we do not know may pass.
            self = .passing("\(place) refused (\(error.code)): \(error.message)")
        }
    }

    private static func isAboutNumbers(_ error: MySQLError) -> Bool {
        error.message.contains("'id'") || error.message.contains("`id`")
    }

    private static func noNumber(_ error: MySQLError, _ place: String, _ tables: ResultTables) -> SQLErrorKind {
        .passing(
            "\(place) has no number for a new row of \(tables.task.name): \(error.message). Look at the sequence or "
                + "AUTO_INCREMENT of its column id")
    }

    /// Celery's own tables hold 64 KiB in a column of values.
    private static func tooLong(_ error: MySQLError, _ place: String, _ tables: ResultTables) -> StoreFailure {
        let column = MySQLColumns.long.first {
            error.message.contains("'\($0.name)'") || error.message.contains("`\($0.name)`")
        }
        return StoreFailure(
            "\(place) does not take the record: \(error.message)", .unfit,
            fix: column.map { "ALTER TABLE \(tables.task.quoted("`")) MODIFY `\($0.name)` \($0.type)" })
    }

    /// Of a connection that was not made. nil: the server, or the way to it, is away, or it has no room for us.
    static func refusal(_ error: MySQLError, at address: MySQLAddress) -> StoreFailure? {
        switch error.code {
        // Access denied, unknown database, this host may not; account locked, password expired, TLS demanded; TLS itself;
        // no way to say who we are.
        case 1044, 1045, 1698, 1049, 1130, 1251, 1275, 1820, 1862, 3118, 3159, 3160, 4151, 1524, 2026, 2049, 2054, 2058,
            2059, 2061:
            StoreFailure(
                "MySQL at \(address) refused us: \(error.message) (\(error.code))", .refused,
                fix: "Check user, password, database and TLS parameters of the address, and the account at the server")
        default: nil
        }
    }
}
