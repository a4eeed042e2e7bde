// Real workers for the client's tests: taskhost as it was built, and Python's Celery.
import Foundation
import Glibc
import TestKit
import Testing

/// A worker with the tour's tasks and a queue of its own; ended with the object.
final class TourWorker {
    let queue = "tour-\(UUID().uuidString.lowercased())"
    let broker: String
    let backend: String
    private let process = Process()
    private let folder: TemporaryFolder
    private let output: URL

    init(_ kind: WorkerKind, _ results: ResultsKind) throws {
        switch results {
        case .redis:
            broker = try Servers.amqp()
            backend = try Servers.redis()
        case .rpc:
            broker = try Servers.amqp()
            backend = "rpc://"
        case .rediss:
            let authority = try Servers.certificate("ca.pem")
            broker =
                try Servers.rediss() + "?ssl_cert_reqs=required&ssl_ca_certs=\(authority)"
            backend = broker
        }
        folder = try TemporaryFolder()
        output = URL(fileURLWithPath: folder.path + "/log")
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder.path]
        switch kind {
        case .taskhost:
            let plugins = try Self.bundle(in: folder.path)
            process.executableURL = URL(fileURLWithPath: try Dist.taskhost())
            process.arguments = [
                "worker", "-b", broker, "--result-backend", backend, "-Q", queue, "-c", "2", "--plugins", plugins,
                // Suites run side by side, and of two workers of one name only one hears remote control.
                "-n", "\(queue)@%h",
            ]
        case .python:
            let python = try Variables.value("TASKHOST_TEST_PYTHON")
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments = ["-m", "celery", "-A", "tour", "worker", "-c", "2", "-l", "INFO", "-n", "\(queue)@%h"]
            environment["TOUR_BROKER"] = broker
            environment["TOUR_BACKEND"] = backend
            environment["TOUR_QUEUE"] = queue
            environment["PYTHONPATH"] = Self.sources
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        }
        process.environment = environment
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardInput = FileHandle.nullDevice
        guard FileManager.default.createFile(atPath: output.path, contents: nil) else {
            throw CannotStart(path: output.path)
        }
        let log = try FileHandle(forWritingTo: output)
        process.standardOutput = log
        process.standardError = log
        try Self.withoutBlockedSignals { try process.run() }
    }

    /// Threads of Swift's concurrency block all signals, and children inherit that: Python would never hear TERM.
    private static func withoutBlockedSignals(_ work: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try work()
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }

    var log: String {
        do {
            return try String(contentsOf: output, encoding: .utf8)
        } catch {
            return "no log: \(error)"
        }
    }

    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/tour"

    private static func bundle(in folder: String) throws -> String {
        let plugins = folder + "/plugins"
        try FileManager.default.createDirectory(
            atPath: plugins, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
        compiler.arguments = [
            "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I",
            try Dist.include(), sources + "/tour.c", "-o", plugins + "/tour.so",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else { throw CannotStart(path: sources + "/tour.c") }
        return plugins
    }
}

enum WorkerKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case taskhost, python
    var testDescription: String { rawValue }
}

enum ResultsKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// The last is both of Redis' roles over TLS; the others stand beside RabbitMQ.
    case redis, rpc, rediss
    var testDescription: String { rawValue }
}

struct CannotStart: Error {
    let path: String
}
