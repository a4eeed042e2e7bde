import Glibc
import Linux
import Ports

/// Where log lines go: standard error or a file. Each line is one `write`, so lines of several processes in one file
/// don't mix. Safe to use from every thread, and never waits: a thread of its own writes, and a reader that is too
/// slowly (or not at all) loses lines, which the log says once it goes on.
package final class LogSink: @unchecked Sendable {
    /// What may wait to be written.
    static let maxBytes = 8 << 20
    static let maxLines = 20_000
    /// Seconds that the end of the process waits for what is not written yet.
    static let patience = 2.0

    /// The line that tells of so many lost ones. Set before the first line.
    var lossLine: @Sendable (Int) -> String = {
        "\(LogTime.clock()) warn  \($0) log lines were lost: the reader of the log did not keep up\n"
    }

    private let path: String?
    private let condition = Condition()
    private var lines: [[UInt8]] = []
    /// Of the lines that wait, and of those that are being written.
    private var bytes = 0
    private var count = 0
    private var lost = 0
    private var lostInAll = 0
    private var descriptor: Int32
    /// After rotation; used by the next line.
    private var fresh: Int32?
    private var hasThread = false

    /// - Parameter path: nil: standard error.
    init(path: String?) throws(CommandFailure) {
        self.path = path
        descriptor = try path.map { path throws(CommandFailure) in try Self.open(path) } ?? STDERR_FILENO
        Self.flushAtExit(self)
    }

    /// - Parameter descriptor: stays the caller's.
    init(writingTo descriptor: Int32) {
        path = nil
        self.descriptor = descriptor
    }

    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Lines that found no room since the start.
    package var lostLines: Int {
        condition.lock()
        defer { condition.unlock() }
        return lostInAll
    }

    /// Reopens the file after log rotation has moved it.
    package func reopen() throws(CommandFailure) {
        guard let path else { return }
        let opened = try Self.open(path)
        condition.lock()
        if let unused = fresh { close(unused) }
        fresh = opened
        condition.unlock()
    }

    package func write(_ line: String) {
        let line = Array(line.utf8)
        condition.lock()
        defer { condition.unlock() }
        guard count < Self.maxLines, bytes + line.count <= Self.maxBytes else {
            lost += 1
            lostInAll += 1
            return
        }
        lines.append(line)
        count += 1
        bytes += line.count
        // Without a thread to be had the lines wait, and the next one tries again.
        if !hasThread { hasThread = OwnThread.run { [self] in while true { writeBatch() } } }
        condition.broadcast()
    }

    /// Waits until everything is written, for so many seconds at most.
    func flush(withinSeconds seconds: Double = LogSink.patience) {
        let limit = Condition.Deadline(afterSeconds: seconds)
        condition.lock()
        defer { condition.unlock() }
        while count > 0, condition.wait(until: limit) {}
    }

    // ---- the writing thread ----

    private func writeBatch() {
        condition.lock()
        while lines.isEmpty { condition.wait() }
        let batch = lines
        lines = []
        let rotated = fresh
        fresh = nil
        condition.unlock()
        if let rotated {
            close(descriptor)
            condition.lock()
            descriptor = rotated
            condition.unlock()
        }
        for line in batch { put(line) }
        condition.lock()
        let missing = lost
        lost = 0
        condition.unlock()
        if missing > 0 { put(Array(lossLine(missing).utf8)) }
        condition.lock()
        count -= batch.count
        bytes -= batch.reduce(0) { $0 + $1.count }
        condition.broadcast()
        condition.unlock()
    }

    private func put(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                // The log's own failure (disk full, pipe closed) cannot be logged; the work goes on.
                return
            }
            rest = rest.dropFirst(written)
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

    // ---- the end of the process ----

    private nonisolated(unsafe) static var last: LogSink?

    /// A command has one sink.
    private static func flushAtExit(_ sink: LogSink) {
        let isFirst = last == nil
        last = sink
        if isFirst { atexit { LogSink.flushLast() } }
    }

    /// Before something is said past the log.
    package static func flushLast() { last?.flush() }
}
