// [sandbox]: what the kernel keeps tasks from.
import CLinux
import Linux
import Output
import Runner
import Settings

extension ConfigurationBuilder {
    func sandbox() throws(CommandFailure) -> Confinement {
        var made = Confinement()
        for row in Filling.confinement { row.fill(&made, settings) }
        made.umask = try umask(settings[Settings.sandbox.umask])
        made.writableFolders = try settings[Settings.sandbox.writable].map { folder throws(CommandFailure) in
            try writable(folder)
        }
        return made
    }

    private func umask(_ text: String) throws(CommandFailure) -> UInt16? {
        if text.trimmed.lowercased() == "inherit" { return nil }
        if let mask = UInt16(text.trimmed, radix: 8), mask <= 0o777 { return mask }
        throw .configuration(
            "\(settings.origin(Settings.sandbox.umask)): \"\(text)\" is no umask",
            fix: "write it in octal, as \"027\", or \"inherit\"")
    }

    private func writable(_ folder: String) throws(CommandFailure) -> String {
        let origin = settings.origin(Settings.sandbox.writable)
        guard clinux_landlock_version() > 0 else {
            throw .configuration(
                "\(origin): this kernel cannot keep tasks to some folders: it has no Landlock",
                fix: "take the list out, or use Linux 5.13 or newer with landlock among the kernel's lsm=")
        }
        guard folder.hasPrefix("/"), Files.isFolder(folder) else {
            throw .configuration(
                "\(origin): \(folder) is no folder in which tasks could write",
                fix: "name folders that are there, from /")
        }
        return folder
    }
}
