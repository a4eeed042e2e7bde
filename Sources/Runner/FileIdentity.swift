// One state of one file: what a bundle is loaded by, and quarantined by.

internal import Glibc

/// Changes when the file is replaced or written to.
struct FileIdentity: Hashable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var modifiedSeconds: Int64
    var modifiedNanoseconds: Int64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}

/// Who could change a file or folder besides root and us; nil: nobody. The sentence names the fix.
func reasonNotToTrust(_ path: String, _ status: stat) -> String? {
    let owner = status.st_uid
    if owner != 0, owner != geteuid() {
        return "\(path) belongs to user \(owner), who could put any code there."
            + " Make it yours or root's: chown \(geteuid()) '\(path)'"
    }
    if status.st_mode & 0o002 != 0 {
        return "\(path) is writable by everybody, who could put any code there. Take that right away:"
            + " chmod o-w '\(path)'"
    }
    return nil
}
