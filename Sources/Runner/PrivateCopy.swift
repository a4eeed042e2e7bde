// A bundle's file as it was at one moment. Whoever overwrites the original in place cannot pull the code from under
// a running child.

internal import CLinux
internal import Glibc

/// Exists by name until `unlinkFile`, by content (for symbols of crash reports) as long as this object.
final class PrivateCopy {
    let original: String
    let path: String
    let identity: FileIdentity
    /// Open for reading.
    let descriptor: Int32
    private var linked = true

    enum Failure: Error {
        /// Somebody writes to it right now; look again later.
        case changing
        case gone
        /// A sentence with the fix.
        case refused(String)
    }

    init(of original: String, in directory: RunDirectory, number: UInt64) throws(Failure) {
        let source = open(original, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard source >= 0 else {
            if errno == ENOENT { throw .gone }
            throw .refused("\(original) cannot be read: \(errorText(errno)). Check its permissions.")
        }
        defer { close(source) }
        var before = stat()
        guard fstat(source, &before) == 0, before.st_mode & S_IFMT == S_IFREG else {
            throw .refused("\(original) is not a file. Remove it from the plugins folder.")
        }
        if let reason = reasonNotToTrust(original, before) { throw .refused(reason) }
        let name = original.split(separator: "/").last.map(String.init) ?? "bundle.so"
        let copied = "\(directory.path)/\(number)-\(name)"
        let target = open(copied, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o500)
        guard target >= 0 else { throw .refused("cannot write \(copied): \(errorText(errno))") }
        do throws(Failure) {
            try Self.copy(from: source, to: target, original)
            var after = stat()
            let sameFile = stat(original, &after) == 0 && FileIdentity(after) == FileIdentity(before)
            if !sameFile { throw Failure.changing }
        } catch {
            close(target)
            unlink(copied)
            throw error
        }
        // Open for writing, nobody could execute or map it safely: keep a reading descriptor only.
        let reading = open(copied, O_RDONLY | O_CLOEXEC)
        close(target)
        guard reading >= 0 else {
            unlink(copied)
            throw .refused("cannot read \(copied): \(errorText(errno))")
        }
        self.original = original
        path = copied
        identity = FileIdentity(before)
        descriptor = reading
    }

    /// Once it is loaded its name serves nobody.
    func unlinkFile() {
        guard linked else { return }
        linked = false
        unlink(path)
    }

    deinit {
        unlinkFile()
        close(descriptor)
    }

    private static func copy(from source: Int32, to target: Int32, _ name: String) throws(Failure) {
        let capacity = 1 << 18
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let got = read(source, buffer, capacity)
            if got == 0 { return }
            if got < 0 {
                if errno == EINTR { continue }
                throw .refused("\(name) cannot be read: \(errorText(errno))")
            }
            var written = 0
            while written < got {
                let count = write(target, buffer + written, got - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw .refused("no room for a private copy of \(name): \(errorText(errno))")
                }
                written += count
            }
        }
    }
}
