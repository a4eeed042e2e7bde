// A folder of our own for private copies, removed with us, or by the next host when we were killed.

internal import CLinux
internal import Glibc

/// `taskhost-XXXXXX` (mode 0700) under the temporary folder. It holds a lock file that its owner keeps locked; one
/// whose lock is free belonged to a host that was killed, and is cleared away.
final class RunDirectory {
    let path: String
    private let lock: Int32
    private var removed = false

    init(in folder: String?) throws(RunnerFailure) {
        let base = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        Self.removeStale(in: base)
        var template = Array("\(base)/\(Self.prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw RunnerFailure(
                "cannot make a folder in \(base): \(errorText(errno)). Set TMPDIR to a folder that we may write to.")
        }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        // Locked before it has its name: a host that starts beside us takes a lock that it can get for a dead one's.
        let unnamed = "\(path)/\(Self.lockName).new"
        lock = open(unnamed, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0, rename(unnamed, "\(path)/\(Self.lockName)") == 0 else {
            throw RunnerFailure("cannot lock \(path)/\(Self.lockName): \(errorText(errno))")
        }
    }

    func remove() {
        guard !removed else { return }
        removed = true
        Self.clear(path)
        close(lock)
    }

    deinit {
        remove()
    }

    private static let prefix = "taskhost-"
    private static let lockName = "lock"

    private static func removeStale(in base: String) {
        for name in namesInFolder(base) ?? [] where name.hasPrefix(prefix) && name.count == prefix.count + 6 {
            let path = "\(base)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
                status.st_mode & 0o077 == 0
            else { continue }
            let lock = open("\(path)/\(lockName)", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { clear(path) }
            close(lock)
        }
    }

    /// Holds plain files only; what else might be there stays, and the folder with it.
    private static func clear(_ path: String) {
        for name in namesInFolder(path) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
