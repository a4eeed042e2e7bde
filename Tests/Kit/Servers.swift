// What tests are told of the world in variables, and the addresses of the servers that `Tests/Support/with-servers` started.
import Foundation

package enum Variables {
    /// Missing is a failure, not a reason to skip.
    package struct Missing: Error, CustomStringConvertible {
        package let variable: String
        package var description: String {
            "\(variable) is not set. Run the tests by scripts/test, or by: Tests/Support/with-servers swift test"
        }
    }

    package static func value(_ variable: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else {
            throw Missing(variable: variable)
        }
        return value
    }
}

package enum Servers {
    package static func amqp() throws -> String { try Variables.value("TASKHOST_TEST_AMQP_URL") }
    package static func redis() throws -> String { try Variables.value("TASKHOST_TEST_REDIS_URL") }
    package static func postgresql() throws -> String { try Variables.value("TASKHOST_TEST_POSTGRESQL_URL") }
    /// The same server over TLS; without parameters.
    package static func rediss() throws -> String { try Variables.value("TASKHOST_TEST_REDISS_URL") }
    /// MariaDB, over TCP or TLS; its user may do everything.
    package static func mysql() throws -> String { try Variables.value("TASKHOST_TEST_MYSQL_URL") }
    package static func mysqlSocket() throws -> String { try Variables.value("TASKHOST_TEST_MYSQL_SOCKET") }

    /// A file of the certificates: "ca.pem", "other-ca.pem", "server.key" …
    package static func certificate(_ name: String) throws -> String {
        try Variables.value("TASKHOST_TEST_TLS_DIR") + "/" + name
    }
}

/// What `make build` left; `TASKHOST_TEST_DIST` names it.
package enum Dist {
    package static func path() throws -> String { try Variables.value("TASKHOST_TEST_DIST") }
    package static func taskhost() throws -> String { try path() + "/bin/taskhost" }
    package static func runner() throws -> String { try path() + "/libexec/taskhost/taskhost-runner" }
    package static func plugin(_ name: String) throws -> String { try path() + "/plugins/\(name).so" }
    package static func include() throws -> String { try path() + "/include" }
}
