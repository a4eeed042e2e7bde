// A Redis of a test's own, on a Unix socket in a temporary folder, to be killed and starved; over TLS, too, if wanted.
import Foundation
import Glibc
import TestKit

final class PrivateRedis {
    let socket: String
    private let folder: TemporaryFolder
    private var process: Process?

    init() throws {
        folder = try TemporaryFolder()
        socket = folder.path + "/redis.sock"
    }

    deinit { stop() }

    /// On a free port of localhost as well, with that certificate. Returns the port.
    func startTLS(port: Int? = nil, certificate: String = "server", _ extra: String...) throws -> Int {
        let port = try port ?? Self.freePort()
        try start(
            [
                "--tls-port", "\(port)", "--tls-ca-cert-file", try Servers.certificate("ca.pem"), "--tls-cert-file",
                try Servers.certificate("\(certificate).pem"), "--tls-key-file",
                try Servers.certificate("\(certificate).key"), "--tls-auth-clients", "no",
            ] + extra)
        return port
    }

    func start(_ extra: String...) throws { try start(extra) }

    private func start(_ extra: [String]) throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments =
            ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder.path] + extra
        server.standardOutput = FileHandle.nullDevice
        try server.run()
        process = server
        let deadline = ContinuousClock.now + .seconds(15)
        while !isAnswering() {
            guard ContinuousClock.now < deadline else { throw TooLate(what: "redis-server on \(socket)") }
            usleep(20_000)
        }
    }

    /// Stopped, and woken: answers nothing in between.
    func freeze() throws { Foundation.kill(try running(), SIGSTOP) }
    func thaw() throws { Foundation.kill(try running(), SIGCONT) }

    private func running() throws -> pid_t {
        guard let process, process.isRunning else { throw TooLate(what: "a server that runs") }
        return process.processIdentifier
    }

    /// Without a chance to say good-bye.
    func kill() throws {
        stop()
        if FileManager.default.fileExists(atPath: socket) { try FileManager.default.removeItem(atPath: socket) }
    }

    func command(_ words: String...) throws {
        let output = try Self.run(["-s", socket] + words)
        guard !output.contains("ERR") else { throw TooLate(what: "\(words): \(output)") }
    }

    func answer(_ words: String...) throws -> String { try answer(words) }

    func answer(_ words: [String]) throws -> String {
        try Self.run(["-s", socket] + words).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func monitor() throws -> Monitor { try Monitor(socket, in: folder.path) }

    private func stop() {
        guard let process, process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Of 127.0.0.1 and ::1, as "localhost" may be either. Somebody else may take it before we do.
    private static func freePort() throws -> Int {
        let descriptor = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw TooLate(what: "a free port") }
        return Int(UInt16(bigEndian: address.sin6_port))
    }

    private func isAnswering() -> Bool {
        do {
            let answer = try Self.run(["-s", socket, "PING"])
            return answer.contains("PONG") || answer.contains("NOAUTH")
        } catch {
            return false
        }
    }

    private static func run(_ arguments: [String]) throws -> String {
        try Program.run("redis-cli", arguments).output
    }

    /// Every command the server gets from now on.
    final class Monitor {
        private let process = Process()
        private let path: String

        fileprivate init(_ socket: String, in folder: String) throws {
            path = folder + "/monitor"
            try Data().write(to: URL(fileURLWithPath: path))
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["redis-cli", "-s", socket, "MONITOR"]
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try process.run()
            try wait { text in text.contains("OK\n") }
        }

        deinit {
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }

        /// The first so many, each as `"WORD" "word" …`.
        func commands(_ count: Int) throws -> [String] {
            try wait { text in Self.commands(in: text).count >= count }
            return Array(Self.commands(in: try text()).prefix(count))
        }

        /// Whole lines only: `1700000000.123456 [0 unix:/path] "GET" "key"`.
        private static func commands(in text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
                line.range(of: "] ").map { String(line[$0.upperBound...]) }
            }
        }

        private func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

        private func wait(until isThere: (String) -> Bool) throws {
            let deadline = ContinuousClock.now + .seconds(15)
            while !isThere(try text()) {
                guard ContinuousClock.now < deadline else {
                    throw TooLate(what: "commands; MONITOR says: \(try text())")
                }
                usleep(20_000)
            }
        }
    }
}
