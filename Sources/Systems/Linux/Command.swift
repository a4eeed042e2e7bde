// Runs another program to its end, and takes what it writes.
import CLinux
import Glibc

public enum Command {
    public struct Outcome: Sendable, Equatable {
        /// What it returned; of one that a signal ended, 128 and the signal's number, as shells have it.
        public var status: Int
        public var output: String
        public var errors: String
    }

    /// Waits for it, however long it takes; its input is empty. To be called on a thread that may wait, and not in a
    /// process that reaps children of whatever kind.
    /// - Parameter words: the first is looked for in `PATH`.
    /// - Throws: it could not be started. A program that is not there has the status 127.
    public static func run(_ words: [String]) throws(SystemFailure) -> Outcome {
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemFailure() }
        defer { _ = clinux_close(input) }
        // Nobody reads these while it writes, so what it says in two places cannot make it wait for us.
        let (output, errors) = (clinux_memfd("output"), clinux_memfd("errors"))
        defer { for file in [output, errors] where file >= 0 { _ = clinux_close(file) } }
        guard output >= 0, errors >= 0 else { throw SystemFailure(code: -min(output, errors)) }
        var argv = (["/usr/bin/env"] + words).map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        let pid = clinux_spawn("/usr/bin/env", &argv, environ, [input, output, errors], 3)
        guard pid > 0 else { throw SystemFailure(code: -pid) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemFailure() }
        }
        return Outcome(
            status: clinux_wait_signaled(status)
                ? 128 + Int(clinux_wait_signal(status)) : Int(clinux_wait_exit_status(status)),
            output: try text(output), errors: try text(errors))
    }

    private static func text(_ file: Int32) throws(SystemFailure) -> String {
        guard lseek(file, 0, SEEK_SET) == 0 else { throw SystemFailure() }
        return String(decoding: try Files.read(from: file), as: UTF8.self)
    }
}
