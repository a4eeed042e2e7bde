// Tells when a source file below the folder changes, once for each burst of changes.
import CLinux
import Glibc
import Linux
import Loop
import Output
import Ports

/// Files by their names: what a build leaves beside them must not start the next one.
final class SourceWatch {
    /// From the first change of a burst to the call.
    private static let debounceSeconds = 0.1
    private static let endings: Set<String> = [
        "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "swift", "rs", "py", "map", "mk",
    ]
    private static let names: Set<String> = [
        "Makefile", "CMakeLists.txt", "Cargo.toml", "meson.build", "taskhost.toml",
    ]
    private static let skipped: Set<String> = ["build", "target", "__pycache__", "node_modules", "venv", "plugins"]
    /// Of folders that are watched: more belong to something else than the sources of a bundle.
    private static let mostFolders = 2000

    private static let mask =
        CLINUX_IN_CLOSE_WRITE | CLINUX_IN_MOVED_TO | CLINUX_IN_MOVED_FROM | CLINUX_IN_DELETE | CLINUX_IN_CREATE

    private let loop: EpollLoop
    private let changed: (String) -> Void
    private let inotify: Int32
    private var watch: (any LoopWatch)?
    private var folders: [Int32: String] = [:]
    private var timer: (any LoopTimer)?

    /// - Parameter changed: with the name of the first file.
    init(_ folder: String, loop: EpollLoop, changed: @escaping (String) -> Void) throws(CommandFailure) {
        (self.loop, self.changed) = (loop, changed)
        inotify = clinux_inotify()
        guard inotify >= 0 else {
            throw CommandFailure(
                .failure, "cannot watch this folder: \(SystemFailure(code: -inotify))",
                fix: "raise fs.inotify.max_user_instances (sysctl), or end programs that use many")
        }
        add(folder)
        watch = loop.watch(inotify, for: .read) { [unowned self] _ in read() }
    }

    static func isSource(_ name: String) -> Bool {
        guard !name.hasPrefix(".") else { return false }
        let parts = name.split(separator: ".")
        return names.contains(name) || (parts.count > 1 && endings.contains(String(parts[parts.count - 1])))
    }

    private func add(_ folder: String) {
        guard folders.count < Self.mostFolders else { return }
        let number = clinux_inotify_add(inotify, folder, Self.mask)
        guard number >= 0 else { return }
        folders[number] = folder
        let names: [String]
        do throws(SystemFailure) {
            names = try Files.names(in: folder)
        } catch {
            return Console.note("dev: not watched: \(folder): \(error)")
        }
        for name in names where !name.hasPrefix(".") && !Self.skipped.contains(name) {
            if Files.isFolder("\(folder)/\(name)") { add("\(folder)/\(name)") }
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = Glibc.read(inotify, &buffer, buffer.count)
            guard got > 0 else { return }
            buffer.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                var offset = 0
                var event = clinux_inotify_event()
                while clinux_inotify_next(start, got, &offset, &event) { take(event) }
            }
        }
    }

    private func take(_ event: clinux_inotify_event) {
        guard let folder = folders[event.watch] else { return }
        let name = String(cString: event.name)
        let path = "\(folder)/\(name)"
        if event.mask & (CLINUX_IN_CREATE | CLINUX_IN_MOVED_TO) != 0, !name.hasPrefix("."),
            !Self.skipped.contains(name), Files.isFolder(path)
        {
            add(path)
        }
        // A file that is being made tells when it is closed.
        guard Self.isSource(name), event.mask & CLINUX_IN_CREATE == 0, timer == nil else { return }
        timer = loop.schedule(afterSeconds: Self.debounceSeconds) { [unowned self] in
            timer = nil
            changed(name)
        }
    }
}
