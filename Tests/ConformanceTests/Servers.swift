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
