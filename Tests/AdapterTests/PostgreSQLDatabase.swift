// A database of a test's own in the server of the tests: the broker's schema has a fixed name.
import Foundation
import Loop
import Ports
import TestKit

@testable import PostgreSQL

/// Dropped with the object, with whoever is still connected.
final class PostgreSQLDatabase {
    let name = "d" + UUID().uuidString.lowercased().filter { $0 != "-" }
    private let server: String

    /// What psql said.
    struct Refused: Error, CustomStringConvertible { let description: String }
    private var roles: [String] = []

    init() throws {
        server = try Servers.postgresql()
        try Self.sql("CREATE DATABASE \(name)", server)
    }

    deinit {
        do {
            try Self.sql("DROP DATABASE \(name) WITH (FORCE)", server)
            for role in roles { try Self.sql("DROP ROLE \(role)", server) }
        } catch {
            print("left behind: \(name) (\(error))")
        }
    }

    func url(user: String = "postgres") -> String {
        let place = server[..<(server.lastIndex(of: "/") ?? server.endIndex)]
        return place.replacingOccurrences(of: "//postgres@", with: "//\(user)@") + "/\(name)"
    }

    /// A user who may do nothing in here yet.
    func role() throws -> String {
        let role = "r" + UUID().uuidString.lowercased().filter { $0 != "-" }
        try sql("CREATE ROLE \(role) LOGIN")
        roles.append(role)
        return role
    }

    /// What it says, unaligned and without headings.
    @discardableResult
    func sql(_ text: String, user: String = "postgres") throws -> String { try Self.sql(text, url(user: user)) }

    @discardableResult
    private static func sql(_ text: String, _ url: String) throws -> String {
        let (output, status) = try Program.run("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", text])
        guard status == 0 else { throw Refused(description: output) }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func line(user: String = "postgres", on loop: EpollLoop) throws -> BrokerLine {
        BrokerLine(address: try PostgreSQLAddress(url: url(user: user)), loop: loop)
    }

    /// A process, as far as the server can tell; not yet connected.
    func fresh(_ times: HostTimes = HostTimes(), user: String = "postgres", on loop: EpollLoop) throws -> BrokerClient {
        BrokerClient(PostgreSQLBroker(line: try line(user: user, on: loop), times: times), loop)
    }

    func client(_ times: HostTimes = HostTimes(), user: String = "postgres", on loop: EpollLoop) throws -> BrokerClient
    {
        let client = try fresh(times, user: user, on: loop)
        client.broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }

    /// Ends all connections of taskhost's to it.
    func terminate() throws {
        try sql(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
    }
}
