// A file that is replaced as a whole: whatever ends us, or the machine, it is the old one or the new one.
import Glibc
import Linux

enum WholeFile {
    /// What could not be written, and why.
    struct Failure: Error, Equatable {
        var path: String
        var reason: String

        fileprivate init(_ path: String) {
            self.path = path
            reason = String(cString: strerror(errno))
        }
    }

    /// On the disk when it returns. Readable for this user only.
    /// - Parameter sync: `fsync`, but for tests.
    static func write(
        _ bytes: [UInt8], to path: String, sync: (Int32) -> Int32 = { fsync($0) }
    ) throws(Failure) {
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(temporary) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { throw Failure(temporary) }
            rest = rest.dropFirst(max(0, written))
        }
        // Before it has the name: a name whose content is not there yet would be neither of the two.
        guard sync(file) == 0 else { throw Failure(temporary) }
        guard rename(temporary, path) == 0 else { throw Failure(path) }
        // And the name itself.
        let folder = Files.parent(of: path)
        let entries = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard entries >= 0 else { throw Failure(folder) }
        defer { close(entries) }
        // EINVAL: a file system that has nothing of the kind.
        guard sync(entries) == 0 || errno == EINVAL else { throw Failure(folder) }
    }
}
