import Glibc
import Linux
import Output
import Settings

/// A file with our pid. A living owner keeps others out; a stale one is replaced.
struct Pidfile {
    let path: String

    init(path: String) throws(CommandFailure) {
        self.path = path
        if let owner = Self.owner(path), owner != getpid(), kill(owner, 0) == 0 || errno == EPERM {
            throw CommandFailure(
                .cannotCreate, "pid file \(path) is in use by process \(owner)",
                fix: "stop that worker (kill \(owner)), or name another --pidfile")
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .cannotCreate, "cannot write the pid file \(path): \(String(cString: strerror(errno)))",
                fix: "name a writable place with --pidfile")
        }
        Console.write("\(getpid())\n", to: descriptor)
        close(descriptor)
    }

    /// Removes the file if it is still ours.
    func remove() {
        if Self.owner(path) == getpid() { unlink(path) }
    }

    private static func owner(_ path: String) -> pid_t? {
        do throws(SystemFailure) {
            return pid_t(String(decoding: try Files.read(path), as: UTF8.self).trimmed)
        } catch {
            return nil
        }
    }
}
