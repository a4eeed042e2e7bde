// A zygote that is started before there is a pool: what its bundle says while it loads decides how the program goes on,
// and what the program decides then reaches the bundle while it still loads.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc

/// One bundle, loading. A `RunnerPool` that is given it goes on with it in place of a first zygote of its own; one that
/// nobody goes on with ends with this process.
public final class EarlyZygote {
    /// How listening ended.
    public enum Ending: Sendable, Equatable {
        /// The bundle has said all it had to say, and waits for `complete`.
        case told
        /// It ended, or closed its end, without a word.
        case silent
        case tooSlow
        /// It wrote more than it may.
        case tooMuch
    }

    /// The bundle's end of the socket has this number in it.
    public static let descriptor = RUNNER_TALK_FD

    public let path: String
    /// What it has said: to us by the socket, and otherwise.
    public private(set) var document: [UInt8] = []
    public private(set) var said: [UInt8] = []
    let copy: PrivateCopy
    let spawned: SpawnedZygote
    let startedAt: UInt64
    let token: String
    private let environment: [String: String]
    private var socket: Int32
    private var isTaken = false

    /// - Parameter options: `runnerPath`, and what confines it; the rest belongs to the pool.
    public init(_ bundle: NamedBundle, options: RunnerOptions) throws(RunnerFailure) {
        path = bundle.path
        environment = bundle.environment
        do throws(PrivateCopy.Failure) {
            copy = try PrivateCopy(of: bundle.path, trustsAnybody: options.trustsAnybody)
        } catch {
            throw RunnerFailure("\(bundle.path) cannot be copied")
        }
        var own = options
        own.environment = bundle.environment
        startedAt = clinux_monotonic_ns()
        token = Zygote.token(startedAt)
        var ends: [Int32] = [-1, -1]
        let made = clinux_socketpair_stream(&ends)
        guard made >= 0 else { throw RunnerFailure("no socket for \(bundle.path): \(errorText(made))") }
        defer { _ = clinux_close(ends[1]) }
        _ = clinux_set_nonblocking(ends[1], false)
        do throws(RunnerFailure) {
            spawned = try SpawnedZygote(copy, options: own, token: token, talk: ends[1])
        } catch {
            _ = clinux_close(ends[0])
            throw error
        }
        socket = ends[0]
    }

    deinit {
        if socket >= 0 { _ = clinux_close(socket) }
    }

    /// Waits until the bundle has told its document, a line.
    public func listen(seconds: Double, mostBytes: Int) -> Ending {
        let end = clinux_monotonic_ns() + UInt64(seconds * 1e9)
        var watched = [socket, spawned.output].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let left = Int64(end) - Int64(clinux_monotonic_ns())
            guard left > 0 else { return .tooSlow }
            guard poll(&watched, 2, Int32(min(left / 1_000_000 + 1, 1000))) > 0 else { continue }
            // An app may close its output and go on.
            if watched[1].revents != 0, !Self.take(spawned.output, &said) { watched[1].fd = -1 }
            if watched[0].revents != 0, !Self.take(socket, &document) { return document.isEmpty ? .silent : .told }
            if document.last == UInt8(ascii: "\n") { return .told }
            if document.count + said.count > mostBytes { return .tooMuch }
        }
    }

    /// Tells the bundle the variables that it would have been started with, had they been known, and lets it go on.
    func complete(_ whole: [String: String]) {
        let new = whole.filter { environment[$0.key] != $0.value }
        let text = Array((new.map { "\($0.key)=\($0.value)" }.joined(separator: "\0") + "\0\0").utf8)
        // To one that is gone it does not matter: its end is seen where that of every zygote is.
        _ = text.withUnsafeBytes { clinux_send(socket, $0.baseAddress, $0.count) }
    }

    /// What the bundle has to say from now on comes by this socket, which belongs to who asks; nil: it was taken before.
    public func takeSocket() -> Int32? {
        guard socket >= 0, clinux_set_nonblocking(socket, true) >= 0 else { return nil }
        defer { socket = -1 }
        return socket
    }

    /// True once: for who goes on with it. One that has loaded another version is of no use.
    func take(for other: PrivateCopy) -> Bool {
        guard !isTaken, other.original == path else { return false }
        guard other.identity == copy.identity else {
            end()
            return false
        }
        isTaken = true
        return true
    }

    /// Ends it, with what it has started.
    public func end() {
        guard !isTaken else { return }
        isTaken = true
        kill(-spawned.pid, SIGKILL)
        var status: Int32 = 0
        _ = waitpid(spawned.pid, &status, 0)
        for descriptor in [spawned.death, spawned.control, spawned.output] { _ = clinux_close(descriptor) }
    }

    /// False: it is over.
    private static func take(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        withReadBuffer { buffer in
            let got = read(descriptor, buffer.baseAddress!, buffer.count)
            if got > 0 { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<got])) }
            return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))
        }
    }
}
