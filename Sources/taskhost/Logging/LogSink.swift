import Foundation
import Glibc

/// Where log lines go: standard error or a file. Each line is one `write`, so lines of several processes in one file
/// don't mix. Safe to use from every thread.
final class LogSink: @unchecked Sendable {
    private let lock = NSLock()
    private let path: String?
    private var descriptor: Int32

    /// - Parameter path: nil: standard error.
    init(path: String?) throws(CommandFailure) {
        self.path = path
        descriptor = try path.map { path throws(CommandFailure) in try Self.open(path) } ?? STDERR_FILENO
    }

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Opens the file anew after log rotation has moved it.
    func reopen() throws(CommandFailure) {
        guard let path else { return }
        let fresh = try Self.open(path)
        lock.lock()
        let old = descriptor
        descriptor = fresh
        lock.unlock()
        close(old)
    }

    func write(_ line: String) {
        lock.lock()
        defer { lock.unlock() }
        var bytes = Array(line.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                // The log's own trouble (disk full, pipe closed) has nowhere to be told; the work goes on.
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }

    private static func open(_ path: String) throws(CommandFailure) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw .configuration(
                "cannot open the log file \(path): \(String(cString: strerror(errno)))",
                fix: "name a writable file with --logfile")
        }
        return descriptor
    }
}
