// Files, with errors as Python's open() raises them.

import Glibc
import TaskhostSDK

/// `[Errno 2] No such file or directory: 'x.jpg'`, of the class Python has for it.
func fileError(_ number: Int32, _ path: String) -> TaskError {
    let text = String(cString: strerror(number))
    let type =
        switch number {
        case ENOENT: "FileNotFoundError"
        case EACCES, EPERM: "PermissionError"
        case EISDIR: "IsADirectoryError"
        case ENOTDIR: "NotADirectoryError"
        default: "OSError"
        }
    return TaskError(
        type: type, "[Errno \(number)] \(text): '\(path)'",
        arguments: [.int(Int64(number)), .string(text), .string(path)])
}

/// Under another name first: a reader never meets half a file, a killed task leaves the old one.
func writeAtomically(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    let temporary = path + ".\(getpid()).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw fileError(errno, path) }
    var failure: Int32 = 0
    var rest = bytes[...]
    while failure == 0, !rest.isEmpty {
        let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written >= 0 { rest = rest.dropFirst(written) } else if errno != EINTR { failure = errno }
    }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(temporary, path) != 0 { failure = errno }
    guard failure == 0 else {
        unlink(temporary)
        throw fileError(failure, path)
    }
}

/// Where the outcome of a task goes: `rocket-blur-1f0c22a9.jpg` beside the source or in `folder`. The task's id makes
/// the name its own and the same on a second run.
func outputPath(for source: String, folder: String?, label: String, taskID: String) -> String {
    let parts = source.split(separator: "/", omittingEmptySubsequences: false)
    let file = parts.last.map(String.init) ?? source
    let directory = folder ?? (parts.count > 1 ? parts.dropLast().joined(separator: "/") : ".")
    let dot = file.lastIndex(of: ".").flatMap { $0 == file.startIndex ? nil : $0 }
    let stem = dot.map { String(file[..<$0]) } ?? file
    let suffix = dot.map { file[$0...].lowercased() } ?? ""
    let written: Set = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"]
    // Ids are the client's to choose: nothing of them may lead out of the folder.
    let id = taskID.utf8.filter { isalnum(Int32($0)) != 0 && $0 < 128 }.prefix(8)
    let name = [stem, label, String(decoding: id, as: UTF8.self)].filter { !$0.isEmpty }.joined(separator: "-")
    return directory + "/" + name + (written.contains(suffix) ? suffix : ".jpg")
}
