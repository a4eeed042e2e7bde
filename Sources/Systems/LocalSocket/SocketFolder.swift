// Where the sockets of this user's hosts lie.
import Glibc
import Linux

/// A host takes the first folder that will do; clients look for hosts in all of them: two processes of one
/// user may see different environments.
public struct SocketFolder: Sendable {
    public let path: String
    /// Whether a host may make it.
    private let isOurs: Bool

    init(path: String, isOurs: Bool) {
        self.path = path
        self.isOurs = isOurs
    }

    static let suffix = ".sock"

    /// `$XDG_RUNTIME_DIR/taskhost`, `/run/user/<uid>/taskhost`, `/run/taskhost` (systemd's RuntimeDirectory) and, for
    /// want of these, `/tmp/taskhost-sockets-<uid>`; if there is a `$TASKHOST_RUNTIME_DIR`, that alone.
    /// - Parameter environment: nil: this process's.
    public static func candidates(environment: [String: String]? = nil) -> [SocketFolder] {
        let environment = environment ?? ThisProcess.environment
        if let only = environment["TASKHOST_RUNTIME_DIR"], only.hasPrefix("/") {
            return [SocketFolder(path: only, isOurs: true)]
        }
        let user = geteuid()
        var folders: [SocketFolder] = []
        func add(_ path: String, makes: Bool) {
            if !folders.contains(where: { $0.path == path }) { folders.append(SocketFolder(path: path, isOurs: makes)) }
        }
        // The XDG rules: a relative path is to be ignored.
        if let run = environment["XDG_RUNTIME_DIR"], run.hasPrefix("/") { add(run + "/taskhost", makes: true) }
        if access("/run/user/\(user)", X_OK) == 0 { add("/run/user/\(user)/taskhost", makes: true) }
        add("/run/taskhost", makes: false)
        add("/tmp/taskhost-sockets-\(user)", makes: true)
        return folders
    }

    /// Makes the folder if that is ours to do; nil: it will not do for sockets.
    func prepared() -> SocketFolder? {
        if isOurs { mkdir(path, 0o700) }
        return isSafe && access(path, W_OK | X_OK) == 0 ? self : nil
    }

    /// Ours, and only we may put anything there.
    private var isSafe: Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
            && status.st_mode & 0o022 == 0
    }

    /// Sockets of hosts, dead ones included.
    func sockets() -> [String] {
        guard isSafe, let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(Self.suffix), !name.hasPrefix(".") { names.append("\(path)/\(name)") }
        }
        return names.sorted()
    }

    /// Hosts that were killed leave theirs behind, without a listener.
    func clearAway() {
        for path in sockets() {
            switch UnixSocket.connect(path) {
            case .success(let descriptor): close(descriptor)
            case .failure(let code): if code == ECONNREFUSED { unlink(path) }
            }
        }
    }
}
