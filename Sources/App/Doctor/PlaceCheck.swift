// Files and folders of ours: may we write there, and may others read or write what they should not?
import Glibc
import Linux
import Ports
import Settings
import TaskModel

enum PlaceCheck {
    /// The embedded broker's file, or the place where it will be made.
    static func database(_ path: String, subject: String) -> Finding {
        var status = stat()
        guard stat(path, &status) == 0 else { return newFile(path, subject: subject) }
        if access(path, R_OK | W_OK) != 0 {
            return .fail(subject, "\(path) is not ours to read and write", fix: "chown \(geteuid()) '\(path)'")
        }
        if status.st_mode & 0o077 != 0 {
            return .warn(
                subject, "\(path) can be read by others: messages and results are in it", fix: "chmod 600 '\(path)'")
        }
        return .ok(subject, "\(path)")
    }

    /// A file that will be made or appended to; its folder must let us.
    static func newFile(_ path: String, subject: String) -> Finding {
        if access(path, F_OK) == 0 {
            return access(path, W_OK) == 0
                ? .ok(subject, path)
                : .fail(subject, "\(path) cannot be written to", fix: "chown \(geteuid()) '\(path)'")
        }
        let folder = nearestFolder(of: path)
        guard access(folder, W_OK | X_OK) == 0 else {
            return .fail(
                subject, "\(path) cannot be made: \(folder) is not ours to write to",
                fix: "let this user write there, or name another place")
        }
        return .ok(subject, "\(path) will be made")
    }

    /// A file that is read, and replaced by a new one.
    static func replacedFile(_ path: String, subject: String) -> Finding {
        let folder = Files.parent(of: path)
        guard access(folder, W_OK | X_OK) == 0 else {
            return .fail(
                subject, "\(path) cannot be written: \(folder) is not there, or not ours to write to",
                fix: "make that folder for this user, or name another place")
        }
        if access(path, F_OK) == 0, access(path, R_OK) != 0 {
            return .fail(subject, "\(path) cannot be read", fix: "chown \(geteuid()) '\(path)'")
        }
        return .ok(subject, path)
    }

    /// Every user of the machine can read a running program's arguments, and each shell keeps a history.
    static func argument(_ set: SourcedValue, name: [String]) -> Finding? {
        // RabbitMQ's own user guest is known to everybody, and comes in from its own machine only.
        guard set.origin.hasPrefix("-"), case .text(let text) = set.value,
            ConnectionURL.secretRanges(in: text).contains(where: { text[$0] != "guest" })
        else { return nil }
        let file = ["broker", "results", "shared_limits"].contains(name[0]) ? "\(name[0]).url_file" : "taskhost.toml"
        return .warn(
            name.joined(separator: "."),
            "\(set.origin) has a password in it, which the list of processes shows to every user at the start, and the "
                + "shell's history afterwards",
            fix: "put the address into a file of mode 0600 and name that with \(file)")
    }

    /// Secrets lie there.
    static func secret(_ path: String, subject: String) -> Finding? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & 0o077 != 0 else { return .ok(subject, "\(path) is for this user only") }
        return .warn(subject, "\(path) holds a secret and can be read by others", fix: "chmod 600 '\(path)'")
    }

    private static func nearestFolder(of path: String) -> String {
        var folder = Files.parent(of: path)
        while !Files.exists(folder), folder != "/", folder != "." { folder = Files.parent(of: folder) }
        return folder
    }
}
