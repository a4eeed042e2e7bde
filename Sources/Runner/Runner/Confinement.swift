// What the kernel keeps zygotes and children from (Sources/Runner/taskhost-runner/confine.c carries it out).

public struct Confinement: Sendable, Equatable {
    /// Other processes of the same user may look into them: for debuggers. Otherwise only root may.
    public var isDebuggable: Bool
    /// Programs that a task starts may gain rights (setuid, setgid, file capabilities).
    public var allowsNewPrivileges: Bool
    /// Tasks may send signals to processes that are not theirs. Kept from it by Landlock, from Linux 6.12 on.
    public var allowsSignals: Bool
    /// Of the files that tasks make; nil: ours.
    public var umask: UInt16?
    /// What the kernel ends first when memory is short, up to 1000; 0: as we are.
    public var oomScore: Int
    /// The longest file that a task may write, in MiB; nil: no limit of ours.
    public var maxFileMebibytes: Int?
    /// Processes and threads of our user, all together, at which a task's next fork fails. Does not bind root.
    public var maxProcesses: Int?
    /// Folders below which tasks may write; empty: wherever the user may. By Landlock, from Linux 5.13 on.
    public var writableFolders: [String]

    public init(
        isDebuggable: Bool = false, allowsNewPrivileges: Bool = false, allowsSignals: Bool = false,
        umask: UInt16? = nil, oomScore: Int = 0, maxFileMebibytes: Int? = nil, maxProcesses: Int? = nil,
        writableFolders: [String] = []
    ) {
        self.isDebuggable = isDebuggable
        self.allowsNewPrivileges = allowsNewPrivileges
        self.allowsSignals = allowsSignals
        self.umask = umask
        self.oomScore = oomScore
        self.maxFileMebibytes = maxFileMebibytes
        self.maxProcesses = maxProcesses
        self.writableFolders = writableFolders
    }

    /// Processes as they come.
    public static let none = Confinement(
        isDebuggable: true, allowsNewPrivileges: true, allowsSignals: true)

    /// The first version of Landlock that knows signals.
    public static let landlockOfSignals = 6

    /// As the runner takes them.
    var words: [String] {
        var words = [
            "debuggable=\(isDebuggable ? 1 : 0)", "privileges=\(allowsNewPrivileges ? 1 : 0)",
            "signals=\(allowsSignals ? 1 : 0)", "oom=\(oomScore)",
        ]
        if let umask { words.append("umask=\(String(umask, radix: 8))") }
        if let maxFileMebibytes { words.append("file_mib=\(maxFileMebibytes)") }
        if let maxProcesses { words.append("processes=\(maxProcesses)") }
        return self == .none ? [] : words + writableFolders.map { "write=\($0)" }
    }
}
