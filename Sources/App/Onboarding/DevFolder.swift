// The folder .taskhost of a `taskhost dev`: messages and results, and for commands typed beside it where these are.
import Glibc
import Linux
package import Output
import Settings

/// Held as long as the process lives.
package final class DevFolder {
    private let descriptor: Int32
    package let broker: String
    /// nil: as the broker has it.
    package let results: String?

    /// - Parameters:
    ///   - broker: nil: a file in the folder.
    ///   - results: nil: where the broker is, as without dev.
    ///   - plugins: folders of the bundles that are served; empty: none are, or those of the settings.
    /// - Throws: another dev runs here, or the folder cannot be made.
    package init(broker: String?, results: String?, plugins: [String]) throws(CommandFailure) {
        let file = DevSettings.file
        do throws(SystemFailure) {
            try Files.makeFolder(DevSettings.folder, mode: 0o700)
        } catch {
            throw CommandFailure(
                .cannotCreate, "\(DevSettings.folder): \(error)", fix: "go to a folder that you may write to")
        }
        descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(.cannotCreate, "\(file): \(SystemFailure())") }
        guard Self.locked(descriptor) else {
            close(descriptor)
            throw CommandFailure(
                .cannotCreate, "another taskhost dev runs in this folder",
                fix: "use that one, or end it with Ctrl-C first")
        }
        self.broker = broker ?? "sqlite://\(Files.resolved(Files.absolute(DevSettings.folder)))/messages.db"
        var text = "# Made by `taskhost dev`; holds while it runs, for commands typed in this folder.\n"
        self.results = results ?? (broker == nil ? self.broker : nil)
        text += "[broker]\nurl = \(Self.quoted(self.broker))\n"
        // Said also where it would be so anyhow: an app may want no results.
        if let results = self.results { text += "\n[results]\nurl = \(Self.quoted(results))\n" }
        if !plugins.isEmpty {
            let folders = plugins.map { Self.quoted(Files.absolute($0)) }.joined(separator: ", ")
            text += "\n[worker]\nplugins = [\(folders)]\n"
        }
        do throws(SystemFailure) {
            try Files.write(Array(text.utf8), to: file, mode: 0o600)
        } catch {
            throw CommandFailure(.cannotCreate, "\(file): \(error)")
        }
    }

    /// Commands that look whether a dev lives hold it for a moment, too.
    private static func locked(_ descriptor: Int32) -> Bool {
        for _ in 0..<20 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(10_000)
        }
        return false
    }

    package func leave() {
        unlink(DevSettings.file)
        close(descriptor)
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
