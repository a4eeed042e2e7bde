// A circuit breaker that all processes of this machine share: after some failures in a row nobody asks the service for a
// while; then one does, and the others wait for what comes of it. / Un cortacircuitos que comparten todos los procesos.
import Glibc
import TaskhostSDK

struct CircuitBreaker {
    static let mostFailures = 3
    static let pause = 1.5

    /// The file that holds the state.
    let path: String

    private struct State {
        /// In a row.
        var failures = 0
        /// When the next may ask, in seconds since 1970.
        var opens = 0.0
    }

    /// nil: go on. Else the seconds to wait. nil: adelante; si no, los segundos de espera.
    func wait() throws -> Double? {
        try locked { state in
            let now = Self.now
            guard state.failures >= Self.mostFailures else { return nil }
            if state.opens > now { return state.opens - now }
            // This one tries; the others wait for it. Este prueba; los demás esperan.
            state.opens = now + Self.pause
            return nil
        }
    }

    func succeeded() throws {
        try locked { $0.failures = 0 }
    }

    /// Only what says something of the service's health counts: not a 404.
    func failed() throws {
        try locked { state in
            state.failures += 1
            state.opens = Self.now + Self.pause
        }
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The lock goes with the descriptor, also when the process is killed. El candado se va con el proceso.
    private func locked<Answer>(_ body: (inout State) -> Answer) throws -> Answer {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else { throw TaskError(type: "OSError", path) }
        defer { close(descriptor) }
        var state = State()
        _ = withUnsafeMutableBytes(of: &state) { pread(descriptor, $0.baseAddress, $0.count, 0) }
        let answer = body(&state)
        let size = MemoryLayout<State>.size
        guard withUnsafeBytes(of: state, { pwrite(descriptor, $0.baseAddress, size, 0) }) == size else {
            throw TaskError(type: "OSError", path)
        }
        return answer
    }
}
