// Starts of messages whose broker keeps no books of them, in the table `start`.
public import Ports
import TaskModel

extension SQLiteResults: StartLedger {
    public func lostStarts(_ name: String, done: @escaping (Result<Int, StoreFailure>) -> Void) {
        file.submit(.read) { db in
            try db.value("SELECT count FROM start WHERE name = ? AND expires_at > ?", name, wallTime().microseconds)
                ?? 0
        } done: { result in
            done(result.mapError(\.asStoreFailure))
        }
    }

    public func recordStart(_ name: String, keepSeconds: Double, done: @escaping (StoreFailure?) -> Void) {
        file.submit(.note) { db in
            let now = wallTime()
            try db.run("DELETE FROM start WHERE expires_at <= ?", now.microseconds)
            try db.run(
                """
                INSERT INTO start(name, count, expires_at) VALUES (?1, 1, ?2)
                ON CONFLICT(name) DO UPDATE SET count = count + 1, expires_at = ?2
                """, name, now.advanced(bySeconds: keepSeconds).microseconds)
        } done: { result in
            done(result.storeFailure)
        }
    }

    public func takeBackStart(_ name: String) {
        file.submitBestEffort(.note, because: "one charged too many at the worst, until it expires") { db in
            try db.run("UPDATE start SET count = count - 1 WHERE name = ? AND count > 0", name)
        }
    }

    public func forgetStarts(_ name: String) {
        file.submitBestEffort(.note, because: "it expires") { db in
            try db.run("DELETE FROM start WHERE name = ?", name)
        }
    }
}
