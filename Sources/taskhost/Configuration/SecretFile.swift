import Foundation

/// Reads a value that lies in a file of its own, as secret stores and systemd credentials hand them out.
enum SecretFile {
    /// The first line, without white space around it.
    static func read(_ path: String, origin: String) throws(CommandFailure) -> String {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .configuration(
                "\(origin) names \(path), which cannot be read: \(error.localizedDescription)",
                fix: "make the file readable for this user, or name another")
        }
        let line = text.split(separator: "\n").first.map { String($0).trimmed } ?? ""
        guard !line.isEmpty else {
            throw .configuration(
                "\(origin) names \(path), which is empty", fix: "write the address into its first line")
        }
        return line
    }
}
