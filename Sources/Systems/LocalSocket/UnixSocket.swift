// Unix sockets by path, however long the path is.
import CLinux
import Glibc

enum UnixSocket {
    struct Code: Error, Equatable {
        var number: Int32
        init(_ number: Int32) { self.number = number }
        var text: String { String(cString: strerror(number)) }
        static func == (code: Code, number: Int32) -> Bool { code.number == number }
    }

    /// Connected and non-blocking, or refused at once.
    static func connect(_ path: String) -> Result<Int32, Code> {
        withAddress(path) { address, length in
            let descriptor = make()
            guard descriptor >= 0 else { return .failure(Code(errno)) }
            guard Glibc.connect(descriptor, address, length) == 0 else {
                let code = Code(errno)
                _ = clinux_close(descriptor)
                return .failure(code)
            }
            return .success(descriptor)
        }
    }

    /// Bound there and listening; the file has mode 0600 before anybody can connect.
    static func listen(_ path: String) -> Result<Int32, Code> {
        withAddress(path) { address, length in
            let descriptor = make()
            guard descriptor >= 0 else { return .failure(Code(errno)) }
            guard bind(descriptor, address, length) == 0, chmod(path, 0o600) == 0, Glibc.listen(descriptor, 64) == 0
            else {
                let code = Code(errno)
                _ = clinux_close(descriptor)
                return .failure(code)
            }
            return .success(descriptor)
        }
    }

    /// The next one that waits, non-blocking; nil: none.
    static func accept(_ listener: Int32) -> Int32? {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = clinux_set_nonblocking(descriptor, true)
        return descriptor
    }

    /// By whom it was connected: this user, or root. The file's mode says the same, until somebody changes it.
    static func isOurs(_ descriptor: Int32) -> Bool {
        let user = clinux_peer_user(descriptor)
        return user == 0 || user == Int64(geteuid())
    }

    private static func make() -> Int32 {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        return socket(AF_UNIX, Int32(kind), 0)
    }

    /// An address holds 107 bytes; through its folder's descriptor any path fits.
    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result<Int32, Code>
    ) -> Result<Int32, Code> {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { return .failure(Code(errno)) }
        defer { _ = clinux_close(handle) }
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let bytes = Array("/proc/self/fd/\(handle)/\(name)".utf8)
        var address = sockaddr_un()
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return .failure(Code(ENAMETOOLONG)) }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
