// A plugins folder: which bundles are in it, and when to look again.

internal import CLinux
internal import Glibc
internal import Ports

/// Watches one folder; tells once per burst of changes.
final class PluginFolder {
    /// From the first change of a burst to the look at the folder.
    static let debounceSeconds = 0.1
    /// How often a folder is looked for that is missing or not to be trusted.
    static let retrySeconds = 1.0

    let path: String
    private let trustsAnybody: Bool
    private let loop: any EventLoop
    private let changed: () -> Void
    private let inotify: Int32
    private var watch: (any LoopWatch)?
    /// The folder's watch; nil while there is none.
    private var number: Int32?
    private var timer: (any LoopTimer)?

    private static let mask =
        CLINUX_IN_CLOSE_WRITE | CLINUX_IN_MOVED_TO | CLINUX_IN_MOVED_FROM | CLINUX_IN_DELETE | CLINUX_IN_DELETE_SELF
        | CLINUX_IN_MOVE_SELF | CLINUX_IN_ATTRIB | CLINUX_IN_CREATE

    init(
        _ path: String, trustsAnybody: Bool, loop: any EventLoop, changed: @escaping () -> Void
    ) throws(RunnerFailure) {
        self.path = path
        self.trustsAnybody = trustsAnybody
        self.loop = loop
        self.changed = changed
        inotify = clinux_inotify()
        guard inotify >= 0 else {
            throw RunnerFailure(
                "cannot watch \(path): \(errorText(inotify))."
                    + " Raise fs.inotify.max_user_instances (sysctl), or stop programs that use many.")
        }
        watch = loop.watch(inotify, for: .read) { [unowned self] _ in readEvents() }
    }

    /// The bundles' paths, in order; or a sentence why the folder is not used.
    func scan() -> Result<[String], RunnerFailure> {
        // Watched before it is looked at, so that nothing is missed in between.
        startWatching()
        do throws(TrustedPath.Failure) {
            _ = clinux_close(try TrustedPath.openFolder(path, trustsAnybody: trustsAnybody))
        } catch {
            look(afterSeconds: Self.retrySeconds)
            return .failure(RunnerFailure(sentence(error)))
        }
        guard let names = namesInFolder(path) else {
            look(afterSeconds: Self.retrySeconds)
            return .failure(
                RunnerFailure("plugins folder \(path) cannot be read. Give us the right: chmod u+rx '\(path)'"))
        }
        return .success(names.filter(Self.isBundle).sorted().map { "\(path)/\($0)" })
    }

    private func sentence(_ failure: TrustedPath.Failure) -> String {
        switch failure {
        case .system(let code):
            "plugins folder \(path): \(errorText(code)). Make it (mkdir -p '\(path)') or name another with --plugins."
        case .notFolder: "\(path) is not a folder. Name the folder that holds it with --plugins."
        case .untrusted(let reason): "plugins folder \(reason)\(TrustedPath.override)"
        }
    }

    /// Calls `changed` once after that long, unless it is going to be called sooner.
    func look(afterSeconds seconds: Double) {
        guard timer == nil, watch != nil else { return }
        timer = loop.schedule(afterSeconds: seconds) { [unowned self] in
            timer = nil
            changed()
        }
    }

    func close() {
        timer?.cancel()
        timer = nil
        guard let open = watch else { return }
        open.cancel()
        watch = nil
        _ = clinux_close(inotify)
    }

    /// Hidden files are somebody's work in progress.
    static func isBundle(_ name: String) -> Bool {
        name.hasSuffix(".so") && !name.hasPrefix(".")
    }

    private func startWatching() {
        guard number == nil, watch != nil else { return }
        let result = clinux_inotify_add(inotify, path, Self.mask)
        if result >= 0 { number = result }
    }

    private func readEvents() {
        var concerns = false
        withReadBuffer { buffer in
            while true {
                let got = read(inotify, buffer.baseAddress!, buffer.count)
                guard got > 0 else { return }
                var offset = 0
                var event = clinux_inotify_event()
                while clinux_inotify_next(buffer.baseAddress!, got, &offset, &event) {
                    if isOfInterest(event) { concerns = true }
                }
            }
        }
        if concerns {
            // A retry may be farther away than the debounce.
            timer?.cancel()
            timer = nil
            look(afterSeconds: Self.debounceSeconds)
        }
    }

    private func isOfInterest(_ event: clinux_inotify_event) -> Bool {
        // Events were lost: anything may have changed.
        if event.mask & CLINUX_IN_Q_OVERFLOW != 0 { return true }
        if event.mask & (CLINUX_IN_DELETE_SELF | CLINUX_IN_MOVE_SELF | CLINUX_IN_IGNORED) != 0 {
            if event.mask & CLINUX_IN_MOVE_SELF != 0, let number { _ = clinux_inotify_remove(inotify, number) }
            number = nil
            return true
        }
        let name = String(cString: event.name)
        if name.isEmpty { return true }
        guard Self.isBundle(name) else { return false }
        // A file being created tells when it is closed; a link is complete at once.
        return event.mask & CLINUX_IN_CREATE == 0 || isLink("\(path)/\(name)")
    }

    private func isLink(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFLNK || status.st_nlink > 1
    }
}
