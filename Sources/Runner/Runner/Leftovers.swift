// What a zygote's death leaves to us: we are its children's next reaper.

internal import CLinux
internal import Glibc
internal import Ports
internal import Synchronization
internal import TaskModel

/// The zygotes of this process, of all its pools, and what others have started: our children, but no leftovers.
public enum OwnChildren {
    private static let pids = Mutex<Set<Int32>>([])

    static func insert(_ pid: Int32) { pids.withLock { _ = $0.insert(pid) } }

    /// It is reaped.
    public static func remove(_ pid: Int32) { pids.withLock { _ = $0.remove(pid) } }

    /// Notes the process that `start` makes (a pid, or less than 0) before anybody can take it for a leftover.
    public static func starting(_ start: () -> Int32) -> Int32 {
        pids.withLock { pids in
            let pid = start()
            if pid > 0 { pids.insert(pid) }
            return pid
        }
    }

    static func contains(_ pid: Int32) -> Bool { pids.withLock { $0.contains(pid) } }
}

/// Kills and reaps the processes that belonged to a dead zygote, until none is left.
///
/// They are recognised by their session (a child leads one), by a variable in their environment, or, when this process
/// has no other children, by being our child at all.
final class Leftovers {
    /// Carries a token that is unique to each zygote.
    static let variable = "TASKHOST_ZYGOTE"
    private static let rescanSeconds = 0.005
    /// After so many scans somebody creates processes faster than we kill them, or one cannot die (in the kernel).
    private static let patience = 400

    private let sessions: Set<Int32>
    private let token: [UInt8]
    private let all: Bool
    private let loop: any EventLoop
    private let log: RunnerLog
    /// Killed and not yet reaped: the dead have neither environment nor memory.
    private var dying: Set<Int32> = []
    private var scans = 0
    private var cleanScans = 0
    private var timer: (any LoopTimer)?

    init(of sessions: [Int32], token: String, all: Bool, loop: any EventLoop, log: @escaping RunnerLog) {
        self.sessions = Set(sessions)
        self.token = Array("\(Self.variable)=\(token)".utf8)
        self.all = all
        self.loop = loop
        self.log = log
    }

    /// `done` when two scans in a row found nothing.
    func clear(_ done: @escaping () -> Void) {
        scans += 1
        let found = sweep()
        cleanScans = found == 0 ? cleanScans + 1 : 0
        if cleanScans >= 2 { return done() }
        if scans == Self.patience {
            log(.error, "\(found) processes of a dead zygote are still there after \(scans) attempts to kill them")
            return done()
        }
        timer = loop.schedule(afterSeconds: Self.rescanSeconds) { [self] in clear(done) }
    }

    /// Kills what is ours; how many there were.
    private func sweep() -> Int {
        var count = 0
        for child in Self.children() where isOurs(child) {
            count += 1
            dying.insert(child)
            Glibc.kill(child, SIGKILL)
            var status: Int32 = 0
            if clinux_reap(child, &status) == child { dying.remove(child) }
        }
        return count
    }

    private func isOurs(_ pid: Int32) -> Bool {
        if dying.contains(pid) { return true }
        guard !OwnChildren.contains(pid), let status = ProcessStatus(pid) else { return false }
        if sessions.contains(status.session) || sessions.contains(pid) { return true }
        if let environment = readFile("/proc/\(pid)/environ"), contains(environment, token) { return true }
        return all
    }

    private func contains(_ environment: [UInt8], _ wanted: [UInt8]) -> Bool {
        environment.split(separator: 0).contains { $0.elementsEqual(wanted) }
    }

    /// All children of this process, whichever thread they are listed with.
    private static func children() -> [Int32] {
        var pids: [Int32] = []
        for thread in namesInFolder("/proc/self/task") ?? [] {
            guard let text = readFile("/proc/self/task/\(thread)/children") else { continue }
            for word in text.split(separator: UInt8(ascii: " ")) {
                if let pid = Int32(String(decoding: word, as: UTF8.self)) { pids.append(pid) }
            }
        }
        return pids
    }
}

/// The fields of /proc/PID/stat that we ask for.
struct ProcessStatus {
    var parent: Int32
    var session: Int32

    static func isTraced(_ pid: Int32) -> Bool {
        guard let text = readFile("/proc/\(pid)/status") else { return false }
        return !text.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("TracerPid:\t0".utf8) }
    }

    init?(_ pid: Int32) {
        guard let text = readFile("/proc/\(pid)/stat"),
            // The name may hold anything, so count from its closing bracket: state, parent, group, session.
            let bracket = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = text[(bracket + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 3, let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let session = Int32(String(decoding: fields[3], as: UTF8.self))
        else { return nil }
        self.parent = parent
        self.session = session
    }
}
