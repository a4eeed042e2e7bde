// How a process tells the others on this machine that there is something new: it touches a file they all watch.
//
// Watching the -wal file itself would be too early: it is written before the commit can be seen.
import CLinux
import Glibc
import Ports

/// The notifying side; belongs to the file's thread.
final class ChangeNotifier {
    private let descriptor: Int32

    static func path(for database: String) -> String { database + "-wake" }

    init(path: String) throws(SQLiteFailure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.unopenable(path) }
    }

    /// What errno says.
    static func unopenable(_ path: String) -> SQLiteFailure {
        SQLiteFailure(
            .transient, "\(path) cannot be opened: \(String(cString: strerror(errno)))",
            fix: "Give this user write access to the file and its folder")
    }

    /// After the commit. A failure costs others up to one second (they also look by themselves), nothing else.
    func notify() {
        _ = futimens(descriptor, nil)
    }

    func close() { _ = clinux_close(descriptor) }
}

/// The listening side; belongs to the loop's thread.
final class ChangeListener {
    private let descriptor: Int32
    private var watch: (any LoopWatch)?

    /// nil when the kernel gives no watch (limit of inotify instances reached): then only the slow poll remains.
    init?(path: String, loop: any EventLoop, changed: @escaping () -> Void) {
        descriptor = clinux_inotify()
        guard descriptor >= 0 else { return nil }
        guard clinux_inotify_add(descriptor, path, CLINUX_IN_ATTRIB) >= 0 else {
            _ = clinux_close(descriptor)
            return nil
        }
        watch = loop.watch(descriptor, for: .read) { [descriptor] _ in
            // What exactly happened does not matter, only that it did.
            withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
                while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
            }
            changed()
        }
    }

    func close() {
        watch?.cancel()
        watch = nil
        _ = clinux_close(descriptor)
    }
}
