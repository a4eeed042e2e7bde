// An event handed to a program: on its standard input, and in short in its environment.
import CLinux
import Glibc
import Synchronization

/// Registered with the sweep of this host's processes, which must leave them alone.
public struct ChildKeeping: Sendable {
    /// Calls what starts a process (its pid, or less than 0) and notes the process before anybody can look.
    public var starting: @Sendable (() -> Int32) -> Int32
    /// It is reaped.
    public var gone: @Sendable (Int32) -> Void

    public init(starting: @escaping @Sendable (() -> Int32) -> Int32, gone: @escaping @Sendable (Int32) -> Void) {
        self.starting = starting
        self.gone = gone
    }
}

struct CommandDelivery: Sendable {
    let words: [String]
    let environment: [String: String]
    let timeout: Double
    let children: ChildKeeping
    let running: RunningCommands

    private static let passedOn = ["PATH", "HOME", "LANG", "TZ"]
    private static let keptOutput = 2048

    /// Waits for its end. nil: it ended with status 0; else a sentence.
    func run(_ input: [UInt8], _ variables: [String: String]) -> String? {
        let stdin = clinux_memfd("hook")
        guard stdin >= 0 else { return "no memory for its input: \(Self.text(-stdin))" }
        defer { _ = clinux_close(stdin) }
        guard Self.write(input, to: stdin), lseek(stdin, 0, SEEK_SET) == 0 else {
            return "no memory for its input: \(Self.text(errno))"
        }
        var pipe: [Int32] = [-1, -1]
        guard clinux_pipe(&pipe) >= 0 else { return "no pipe for its output" }
        defer { _ = clinux_close(pipe[0]) }
        _ = clinux_set_nonblocking(pipe[0], true)
        let pid = start([stdin, pipe[1], pipe[1]], variables)
        _ = clinux_close(pipe[1])
        guard pid > 0 else { return "cannot start \(words[0]): \(Self.text(-pid))" }
        var said: [UInt8] = []
        let hasEnded = wait(pid, output: pipe[0], into: &said)
        let status = clear(pid)
        children.gone(pid)
        return hasEnded ? Self.complaint(status, said) : "took longer than \(timeout) s and was killed"
    }

    private func start(_ descriptors: [Int32], _ variables: [String: String]) -> Int32 {
        var all = environment
        for name in Self.passedOn {
            if let value = getenv(name) { all[name] = String(cString: value) }
        }
        all.merge(variables) { $1 }
        var argv = words.map { strdup($0) } + [nil]
        var envp = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        return children.starting {
            running.starting {
                clinux_spawn(words[0], &argv, &envp, descriptors, Int32(descriptors.count))
            }
        }
    }

    /// False: its time ran out.
    private func wait(_ pid: Int32, output: Int32, into said: inout [UInt8]) -> Bool {
        let end = clinux_monotonic_ns() + UInt64(timeout * 1e9)
        let watch = clinux_pidfd_open(pid)
        guard watch >= 0 else { return false }
        defer { _ = clinux_close(watch) }
        var isOpen = true
        while true {
            let now = clinux_monotonic_ns()
            guard now < end else { return false }
            var asked = [pollfd(fd: watch, events: Int16(POLLIN), revents: 0)]
            if isOpen { asked.append(pollfd(fd: output, events: Int16(POLLIN), revents: 0)) }
            poll(&asked, nfds_t(asked.count), Int32(clamping: (end - now) / 1_000_000 + 1))
            isOpen = Self.read(output, into: &said)
            if asked[0].revents != 0 { return true }
        }
    }

    private static func complaint(_ status: Int32, _ output: [UInt8]) -> String? {
        if clinux_wait_exited(status), clinux_wait_exit_status(status) == 0 { return nil }
        let how =
            clinux_wait_exited(status)
            ? "ended with status \(clinux_wait_exit_status(status))"
            : "was killed by signal \(clinux_wait_signal(status))"
        let said = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " | ")
        return said.isEmpty ? how : "\(how): \(said)"
    }

    /// It leads a session of its own: what it has started ends with it. Its status.
    private func clear(_ pid: Int32) -> Int32 {
        running.ended(pid)
        // Before it is reaped, so that the pid cannot have been reused.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        // Its own children have become ours.
        var other: Int32 = 0
        while true {
            let reaped = waitpid(-pid, &other, 0)
            if reaped < 0, errno != EINTR { return status }
        }
    }

    /// False: no process writes any more.
    private static func read(_ descriptor: Int32, into last: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count <= 0 { return count < 0 && errno == EAGAIN }
            last = Array((last + buffer[..<count]).suffix(keptOutput))
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    private static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}

/// Commands of all hooks that run, so that they can be ended with us.
final class RunningCommands: Sendable {
    private let pids = Mutex<Set<Int32>>([])

    func starting(_ start: () -> Int32) -> Int32 {
        pids.withLock { pids in
            let pid = start()
            if pid > 0 { pids.insert(pid) }
            return pid
        }
    }

    func ended(_ pid: Int32) { pids.withLock { _ = $0.remove(pid) } }

    /// A pid is in here only while it cannot be reused.
    func killAll() {
        pids.withLock { for pid in $0 { kill(-pid, SIGKILL) } }
    }
}
