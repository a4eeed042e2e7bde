// Opening what is going to be run: only root and we may be able to put something else there, neither into the
// file nor by any folder or link on the way to it.

internal import CLinux
internal import Glibc

enum TrustedPath {
    enum Failure: Error {
        /// An error number: ENOENT, EACCES …
        case system(Int32)
        case notFolder
        /// A sentence with path, reason and fix.
        case untrusted(String)
    }

    /// What the operator can do besides; follows the sentence of `untrusted`.
    static let override = " (TASKHOST_SANDBOX_TRUST_PLUGINS=true loads it all the same)"

    /// Links on the way to a folder may lead anywhere, as long as each folder they lead through can be trusted.
    private static let maxLinks = 40

    /// - Parameter trustsAnybody: nothing is asked of owners and rights; the operator answers for them.
    /// - Returns: a descriptor of the folder, for `openat`.
    static func openFolder(_ path: String, trustsAnybody: Bool = false) throws(Failure) -> Int32 {
        if trustsAnybody { return try plainly(path, O_DIRECTORY) }
        var walk = try Walk(path)
        do throws(Failure) {
            try walk.go()
        } catch {
            close(walk.descriptor)
            throw error
        }
        return walk.descriptor
    }

    /// For reading, without waiting. The last part may be a link to another name in the same folder, as installers of
    /// libraries make them, and to nothing else.
    static func openFile(_ path: String, trustsAnybody: Bool = false) throws(Failure) -> Int32 {
        if trustsAnybody { return try plainly(path, O_NONBLOCK) }
        let slash = path.lastIndex(of: "/")
        let folderPath = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = try openFolder(folderPath)
        defer { close(folder) }
        var name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        for _ in 0..<8 {
            let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            if file >= 0 { return try checked(file, path) }
            guard errno == ELOOP else { throw .system(errno) }
            let target = try linkTarget(folder, name)
            guard !target.contains("/"), target != "..", target != "." else {
                throw .untrusted(
                    "\(path) is a link that leads out of its folder, to \(target): users who may write there could put any"
                        + " code in its place. Copy the file itself into \(folderPath).")
            }
            name = target
        }
        throw .system(ELOOP)
    }

    private static func plainly(_ path: String, _ flags: Int32) throws(Failure) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | flags)
        if descriptor >= 0 { return descriptor }
        throw errno == ENOTDIR ? .notFolder : .system(errno)
    }

    private static func checked(_ file: Int32, _ path: String) throws(Failure) -> Int32 {
        var status = stat()
        let code = fstat(file, &status) == 0 ? 0 : errno
        if code == 0, let reason = reasonNotToTrust(path, status) {
            close(file)
            throw .untrusted(reason)
        }
        guard code == 0 else {
            close(file)
            throw .system(code)
        }
        return file
    }

    fileprivate static func linkTarget(_ folder: Int32, _ name: String) throws(Failure) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlinkat(folder, name, &buffer, buffer.count)
        guard length > 0 else { throw .system(length < 0 ? errno : ENOENT) }
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// From / down, one folder after the other, each opened by the one before: what is checked is what is used.
    private struct Walk {
        private(set) var descriptor: Int32
        private var shown: [Substring] = []
        private var pending: [Substring]
        private var links = 0

        init(_ path: String) throws(Failure) {
            var whole = path
            if !path.hasPrefix("/") {
                guard let here = getcwd(nil, 0) else { throw .system(errno) }
                defer { free(here) }
                whole = String(cString: here) + "/" + path
            }
            pending = Self.parts(whole)
            descriptor = clinux_open_place(-1, "/")
            guard descriptor >= 0 else { throw .system(-descriptor) }
        }

        mutating func go() throws(Failure) {
            try check(isLast: pending.isEmpty)
            while !pending.isEmpty { try step(pending.removeFirst()) }
        }

        private mutating func step(_ part: Substring) throws(Failure) {
            if part == ".." {
                try enter("..")
                _ = shown.popLast()
                return
            }
            var status = stat()
            guard fstatat(descriptor, String(part), &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .system(errno) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                try enter(String(part))
                shown.append(part)
                try check(isLast: pending.isEmpty)
            case S_IFLNK: try follow(part, ownedBy: status.st_uid)
            default: throw .notFolder
            }
        }

        private mutating func enter(_ name: String) throws(Failure) {
            let next = clinux_open_place(descriptor, name)
            guard next >= 0 else { throw .system(-next) }
            close(descriptor)
            descriptor = next
        }

        private mutating func follow(_ part: Substring, ownedBy owner: uid_t) throws(Failure) {
            links += 1
            guard links <= TrustedPath.maxLinks else { throw .system(ELOOP) }
            guard owner == 0 || owner == geteuid() else {
                throw .untrusted(
                    "\(path(part)) is a link of user \(owner), who could let it lead to any code. Make it yours or root's:"
                        + " chown -h \(geteuid()) '\(path(part))'")
            }
            let target = try TrustedPath.linkTarget(descriptor, String(part))
            if target.hasPrefix("/") {
                let root = clinux_open_place(-1, "/")
                guard root >= 0 else { throw .system(-root) }
                close(descriptor)
                descriptor = root
                shown = []
            }
            pending = Self.parts(target) + pending
        }

        private func check(isLast: Bool) throws(Failure) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw .system(errno) }
            if let reason = reasonNotToTrust(path(), status, allowsSticky: !isLast) { throw .untrusted(reason) }
        }

        private func path(_ next: Substring? = nil) -> String {
            "/" + (shown + (next.map { [$0] } ?? [])).joined(separator: "/")
        }

        private static func parts(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }
    }
}

/// Who could change a file or folder besides root and us; nil: no other user can. The sentence names the fix.
/// - Parameter allowsSticky: a folder that all may write to will do when others cannot remove there what is
///   another's: /tmp.
func reasonNotToTrust(_ path: String, _ status: stat, allowsSticky: Bool = false) -> String? {
    let owner = status.st_uid
    if owner != 0, owner != geteuid() {
        return "\(path) belongs to user \(owner), who could put any code there."
            + " Make it yours or root's: chown \(geteuid()) '\(path)'"
    }
    if allowsSticky, status.st_mode & S_IFMT == S_IFDIR, status.st_mode & S_ISVTX != 0 { return nil }
    if status.st_mode & 0o002 != 0 {
        return "\(path) is writable by everybody, who could put any code there. Take that right away:"
            + " chmod o-w '\(path)'"
    }
    if status.st_mode & 0o020 != 0, let member = GroupMembers.foreignMember(in: status.st_gid) {
        return "\(path) is writable by the group \(status.st_gid), in which there is \(member), who could put any code"
            + " there. Take that right away: chmod g-w '\(path)'"
    }
    return nil
}
