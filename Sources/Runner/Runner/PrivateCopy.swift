// A bundle's file as it was at one moment, in sealed memory. Overwriting the original in place cannot pull the
// code from under a running child, and a zygote can be started again from it without a folder, space, or the original.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc

final class PrivateCopy {
    let original: String
    let identity: FileIdentity
    /// Open for reading; sealed against writing.
    let descriptor: Int32
    /// What a zygote that was given the descriptor knows it by.
    static let pathInZygote = RUNNER_BUNDLE_PATH

    enum Failure: Error {
        /// Somebody writes to it right now; look again later.
        case changing
        case gone
        /// A sentence with the fix: the file is not to be used as it is.
        case refused(String)
        /// A sentence: the system has no room for it now; it may succeed later.
        case system(String)
    }

    init(of original: String, trustsAnybody: Bool) throws(Failure) {
        let source = try Self.source(original, trustsAnybody)
        defer { close(source) }
        var before = stat()
        guard fstat(source, &before) == 0, before.st_mode & S_IFMT == S_IFREG else {
            throw .refused("\(original) is not a file. Remove it from the plugins folder.")
        }
        let name = original.split(separator: "/").last.map(String.init) ?? "bundle.so"
        let target = clinux_memfd(String(name.prefix(60)))
        guard target >= 0 else { throw .system("no memory file for a copy of \(original): \(errorText(target))") }
        do throws(Failure) {
            try Self.copy(from: source, to: target, original)
            var after = stat()
            let sameFile = stat(original, &after) == 0 && FileIdentity(after) == FileIdentity(before)
            if !sameFile { throw Failure.changing }
            let sealed = clinux_memfd_seal(target)
            if sealed < 0 { throw Failure.system("the copy of \(original) cannot be sealed: \(errorText(sealed))") }
        } catch {
            close(target)
            throw error
        }
        self.original = original
        identity = FileIdentity(before)
        descriptor = target
    }

    deinit {
        close(descriptor)
    }

    private static func source(_ original: String, _ trustsAnybody: Bool) throws(Failure) -> Int32 {
        do throws(TrustedPath.Failure) {
            return try TrustedPath.openFile(original, trustsAnybody: trustsAnybody)
        } catch {
            switch error {
            case .system(ENOENT): throw .gone
            case .system(let code):
                let sentence = "\(original) cannot be read: \(errorText(code))"
                throw isOfTheSystem(code) ? .system(sentence) : .refused("\(sentence). Check its permissions.")
            case .notFolder: throw .refused("\(original) lies in no folder. Check the path.")
            case .untrusted(let sentence): throw .refused(sentence + TrustedPath.override)
            }
        }
    }

    private static func copy(from source: Int32, to target: Int32, _ name: String) throws(Failure) {
        let capacity = 1 << 18
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let got = read(source, buffer, capacity)
            if got == 0 { return }
            if got < 0 {
                let failure = errno
                if failure == EINTR { continue }
                throw .system("\(name) cannot be read: \(errorText(failure))")
            }
            var written = 0
            while written < got {
                let count = write(target, buffer + written, got - written)
                if count < 0 {
                    let failure = errno
                    if failure == EINTR { continue }
                    throw .system("no memory for a private copy of \(name): \(errorText(failure))")
                }
                written += count
            }
        }
    }

    /// Not the file's fault.
    private static func isOfTheSystem(_ failure: Int32) -> Bool {
        [EMFILE, ENFILE, ENOMEM, EIO, EINTR, EAGAIN, ENOSPC, ESTALE, ETIMEDOUT].contains(failure)
    }
}
