// The addresses of the servers that `Tests/Support/with-servers` started for us.
import Foundation

enum Servers {
    /// Missing servers are a failure, not a reason to skip.
    struct Missing: Error, CustomStringConvertible {
        let variable: String
        var description: String { "\(variable) is not set. Run the tests by: Tests/Support/with-servers swift test" }
    }

    static func amqp() throws -> String { try value("TASKHOST_TEST_AMQP_URL") }
    static func redis() throws -> String { try value("TASKHOST_TEST_REDIS_URL") }
    /// The same server over TLS; without parameters.
    static func rediss() throws -> String { try value("TASKHOST_TEST_REDISS_URL") }
    /// A file of the certificates: "ca.pem", "other-ca.pem", "server.key" …
    static func certificate(_ name: String) throws -> String { try value("TASKHOST_TEST_TLS_DIR") + "/" + name }

    private static func value(_ variable: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else {
            throw Missing(variable: variable)
        }
        return value
    }
}

/// A folder of its own for a test's file, removed with the object.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("taskhost-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left behind: \(path) (\(error))")
        }
    }
}

/// What a wait that took too long was for.
struct TooLate: Error, CustomStringConvertible {
    let what: String
    var description: String { "waited in vain for \(what)" }
}
