// What `taskhost dev` says to the commands that are typed in its folder while it runs.
import Glibc
import Linux

/// `.taskhost/dev.toml`: where broker and results are. It holds as long as the dev that wrote it lives, which keeps a lock
/// on it: of one that was killed nothing is left that would lead anybody astray.
public enum DevSettings {
    public static let folder = ".taskhost"
    public static let file = ".taskhost/dev.toml"

    /// A dev runs in this folder.
    public static var isLive: Bool {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Over files and variables: who types in this folder means what runs in it. Options win over it.
    static func read() throws(SettingsFailure) -> SettingsLayer? {
        isLive ? try TOMLReader(file: file).read() : nil
    }

    /// Puts it over what files and variables say, whose result store belongs to their broker.
    public static func overlay(on settings: inout SettingsLayer) throws(SettingsFailure) {
        guard let dev = try read() else { return }
        for form in ["url", "url_file"] { settings.unset(["results", form]) }
        settings.overlay(dev)
    }
}
