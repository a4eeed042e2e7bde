// Runs a program that may hang or write without end, and takes the document that it writes beside its output.
import CLinux
import Glibc

/// Its input is empty; what it writes to descriptor 3 is its document, what it says otherwise comes together.
public struct LimitedCommand: Sendable {
    public enum Ending: Sendable, Equatable {
        /// What it returned; of one that a signal ended, 128 and the signal's number, as shells have it.
        case over(status: Int)
        case tooSlow
        /// It wrote more than it may.
        case tooMuch
    }

    public struct Outcome: Sendable {
        public var ending: Ending
        public var document: [UInt8]
        /// Standard output and standard error.
        public var said: String

        public init(ending: Ending, document: [UInt8], said: String) {
            self.ending = ending
            self.document = document
            self.said = said
        }
    }

    /// The first is a path.
    public var words: [String]
    public var environment: [String: String]
    public var seconds: Double
    public var mostBytes: Int

    public init(_ words: [String], environment: [String: String], seconds: Double, mostBytes: Int) {
        self.words = words
        self.environment = environment
        self.seconds = seconds
        self.mostBytes = mostBytes
    }

    /// Milliseconds between two looks at how much there is.
    private static let lookMilliseconds: Int32 = 50

    /// Waits for it. Not to be called in a process that reaps children of whatever kind.
    /// - Throws: it could not be started: `ENOENT`, `EACCES`, `ENOEXEC` …
    public func run() throws(SystemFailure) -> Outcome {
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemFailure() }
        defer { _ = clinux_close(input) }
        let (said, document) = (clinux_memfd("said"), clinux_memfd("document"))
        defer { for file in [said, document] where file >= 0 { _ = clinux_close(file) } }
        guard said >= 0, document >= 0 else { throw SystemFailure(code: -min(said, document)) }
        let pid = start([input, said, said, document])
        guard pid > 0 else { throw SystemFailure(code: -pid) }
        let ending = end(of: pid, files: [said, document])
        return Outcome(
            ending: ending, document: try Self.bytes(document),
            said: String(decoding: try Self.bytes(said), as: UTF8.self))
    }

    private func start(_ descriptors: [Int32]) -> pid_t {
        var argv = words.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        return clinux_spawn(words[0], &argv, &envp, descriptors, Int32(descriptors.count))
    }

    private func end(of pid: pid_t, files: [Int32]) -> Ending {
        let death = clinux_pidfd_open(pid)
        defer { if death >= 0 { _ = clinux_close(death) } }
        let end = clinux_monotonic_ns() + UInt64(seconds * 1e9)
        var ending: Ending?
        var waited = pollfd(fd: death, events: Int16(POLLIN), revents: 0)
        while ending == nil, poll(&waited, 1, Self.lookMilliseconds) == 0 || waited.revents == 0 {
            if clinux_monotonic_ns() >= end { ending = .tooSlow }
            if files.contains(where: { Self.size($0) > mostBytes }) { ending = .tooMuch }
        }
        // It leads a session, so what it has started goes with it, also when it is over itself.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return ending
            ?? .over(
                status: clinux_wait_signaled(status)
                    ? 128 + Int(clinux_wait_signal(status)) : Int(clinux_wait_exit_status(status)))
    }

    private static func size(_ file: Int32) -> Int {
        var facts = stat()
        return fstat(file, &facts) == 0 ? Int(facts.st_size) : 0
    }

    private static func bytes(_ file: Int32) throws(SystemFailure) -> [UInt8] {
        guard lseek(file, 0, SEEK_SET) == 0 else { throw SystemFailure() }
        return try Files.read(from: file)
    }
}
