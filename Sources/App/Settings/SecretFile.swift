import Linux

/// Reads a value that lies in a file of its own, as secret stores and systemd credentials hand them out.
public enum SecretFile {
    /// The first line, without white space around it.
    public static func read(_ path: String, origin: String) throws(SettingsFailure) -> String {
        let text: String
        do throws(SystemFailure) {
            text = try Files.readText(path)
        } catch {
            throw SettingsFailure(
                "\(origin) names \(path), which cannot be read: \(error)",
                fix: "make the file readable for this user, or name another")
        }
        let line = text.split(separator: "\n").first.map { String($0).trimmed } ?? ""
        guard !line.isEmpty else {
            throw SettingsFailure(
                "\(origin) names \(path), which is empty", fix: "write the address into its first line")
        }
        return line
    }
}
