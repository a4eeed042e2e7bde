// Errors and signals of the system, in words.

internal import CLinux
internal import Glibc
import TaskModel

/// "Too many open files" for EMFILE; takes errno or -errno.
func errorText(_ code: Int32) -> String {
    String(cString: strerror(code < 0 ? -code : code))
}

/// "SIGSEGV" for 11; "signal 77" when it has no name.
func signalName(_ number: Int32) -> String { SignalName.of(number) ?? "signal \(number)" }

/// "was killed by SIGSEGV", "ended with status 3".
func endText(waitStatus status: Int32) -> String {
    clinux_wait_signaled(status)
        ? "was killed by \(signalName(clinux_wait_signal(status)))"
        : "ended with status \(clinux_wait_exit_status(status))"
}

/// The whole content of a small file (of /proc, mostly); nil when it cannot be read.
func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content: [UInt8] = []
    while true {
        let old = content.count
        content.append(contentsOf: repeatElement(0, count: 4096))
        let got = content.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + old, 4096) }
        content.removeLast(4096 - max(0, got))
        if got < 0 { return nil }
        if got == 0 { return content }
    }
}

/// The names in a folder except "." and ".."; nil when it cannot be read.
func namesInFolder(_ path: String) -> [String]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
