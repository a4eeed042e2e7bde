// One file of a plugins folder through its versions: loading, serving, being replaced, being refused.

internal import CLinux
internal import Glibc
internal import Ports
internal import TaskModel

/// What a bundle needs from the pool.
protocol BundleFileHost: AnyObject {
    func startZygote(_ copy: PrivateCopy, owner: any ZygoteOwner) throws(RunnerFailure) -> Zygote
    func privateCopy(of path: String) throws(PrivateCopy.Failure) -> PrivateCopy
    /// It has loaded, and is about to offer its tasks.
    func isLoaded(_ file: BundleFile)
    func conflict(of manifest: BundleManifest, in file: BundleFile) -> String?
    func offers(_ file: BundleFile, _ manifest: BundleManifest?)
    func statusChanged(_ file: BundleFile, _ report: BundleReport)
    func zygoteEnded(_ zygote: Zygote, lost: [Run], reason: String)
    func lookAgain()
}

final class BundleFile: ZygoteOwner {
    /// Deaths that come so soon after the start are the bundle's fault.
    static let quickDeathSeconds = 1.0
    static let quickDeathsAllowed = 3
    static let pauseSeconds = 60.0

    let path: String
    /// The newest healthy version; nil while it is started again, and when there is none.
    private(set) var active: Zygote?
    /// Why its runs cannot be started for some time.
    private(set) var pauseReason: String?
    private(set) var isWanted = true

    private unowned let host: any BundleFileHost
    private let loop: any EventLoop
    private var candidate: Zygote?
    private var draining: [Zygote] = []
    private var tried: FileIdentity?
    private var refusal: String?
    private var isInConflict = false
    private var quarantine: [FileIdentity: String] = [:]
    private var manifest: BundleManifest?
    private var quickDeaths = 0
    private var pause: (any LoopTimer)?

    init(_ path: String, host: any BundleFileHost, loop: any EventLoop) {
        self.path = path
        self.host = host
        self.loop = loop
    }

    /// Nothing of it runs.
    var isOver: Bool { active == nil && candidate == nil && draining.isEmpty }

    var zygotes: [Zygote] { [active, candidate].compactMap { $0 } + draining }

    var reports: [BundleReport] {
        var reports: [BundleReport] = []
        if let active { reports.append(report(.active, active)) }
        if active == nil, let candidate { reports.append(report(.loading, candidate)) }
        if let refusal { reports.append(BundleReport(path: path, status: .refused(refusal), manifest: nil)) }
        return reports + draining.map { report(.draining, $0) }
    }

    /// Loads the file if it is not what was loaded, or refused, last.
    func consider() {
        isWanted = true
        var status = stat()
        guard stat(path, &status) == 0 else { return vanish() }
        let identity = FileIdentity(status)
        guard identity != tried else { return }
        endPause()
        if let known = quarantine[identity] {
            tried = identity
            return refuse(known)
        }
        load()
    }

    /// Another bundle left: its task names may be free now.
    func reconsiderConflict() {
        guard isInConflict else { return }
        tried = nil
        consider()
    }

    /// The file is gone: what runs may finish.
    func vanish() {
        guard isWanted else { return }
        isWanted = false
        endPause()
        tried = nil
        refusal = nil
        manifest = nil
        candidate?.kill("\(path) went away")
        if let active { drain(active) }
        active = nil
        host.offers(self, nil)
        host.statusChanged(self, BundleReport(path: path, status: .gone))
    }

    /// For the end of the pool.
    func close(gracefully: Bool) {
        isWanted = false
        endPause()
        for zygote in zygotes { gracefully ? zygote.retire() : zygote.kill("the host ends") }
    }

    // ---- ZygoteOwner ----

    func zygoteReady(_ zygote: Zygote) {
        guard zygote === candidate, isWanted, let manifest = zygote.manifest else { return zygote.retire() }
        candidate = nil
        isInConflict = false
        host.isLoaded(self)
        if let conflict = host.conflict(of: manifest, in: self) {
            drain(zygote)
            isInConflict = true
            return refuse(conflict)
        }
        if let active { drain(active) }
        active = zygote
        refusal = nil
        self.manifest = manifest
        host.offers(self, manifest)
        host.statusChanged(self, report(.active, zygote))
    }

    func zygoteEnded(_ zygote: Zygote, _ end: ZygoteEnd, lost: [Run]) {
        let reason = Self.text(of: end)
        if zygote === candidate {
            candidate = nil
            // Killed because something newer came, or the file went away: nobody's fault.
            if isWanted, case .refused(let sentence) = end {
                quarantine[zygote.copy.identity] = sentence
                refuse(sentence)
            }
        } else if zygote === active {
            active = nil
            if isWanted { startAgain(after: zygote, reason) }
        } else {
            draining.removeAll { $0 === zygote }
        }
        host.zygoteEnded(zygote, lost: lost, reason: reason)
    }

    // ---- steps ----

    private func load() {
        do throws(PrivateCopy.Failure) {
            let copy = try host.privateCopy(of: path)
            tried = copy.identity
            if let older = candidate {
                candidate = nil
                draining.append(older)
                older.kill("a newer version came")
            }
            candidate = try start(copy)
            host.statusChanged(self, BundleReport(path: path, status: .loading, zygotePID: candidate?.pid))
        } catch {
            switch error {
            case .changing: host.lookAgain()
            case .gone: vanish()
            case .refused(let sentence): refuse(sentence)
            }
        }
    }

    private func start(_ copy: PrivateCopy) throws(PrivateCopy.Failure) -> Zygote {
        do throws(RunnerFailure) {
            return try host.startZygote(copy, owner: self)
        } catch {
            // Not the file's fault: the next look at the folder tries again.
            tried = nil
            throw .refused(error.description)
        }
    }

    private func refuse(_ sentence: String) {
        guard refusal != sentence else { return }
        refusal = sentence
        if active == nil {
            manifest = nil
            host.offers(self, nil)
        }
        host.statusChanged(self, BundleReport(path: path, status: .refused(sentence)))
    }

    private func drain(_ zygote: Zygote) {
        draining.append(zygote)
        zygote.retire()
        host.statusChanged(self, report(.draining, zygote))
    }

    /// Its tasks stay in the catalog meanwhile: their runs wait.
    private func startAgain(after zygote: Zygote, _ reason: String) {
        let lived = Double(clinux_monotonic_ns() - zygote.startedAt) / 1e9
        quickDeaths = lived < Self.quickDeathSeconds ? quickDeaths + 1 : 0
        tried = nil
        if quickDeaths < Self.quickDeathsAllowed { return consider() }
        quickDeaths = 0
        let sentence =
            "\(path) is paused for \(Int(Self.pauseSeconds)) s: \(reason), as it did \(Self.quickDeathsAllowed) times"
            + " right after its start. Look at its log lines above; a new version is loaded at once."
        pauseReason = sentence
        refusal = sentence
        tried = zygote.copy.identity
        host.statusChanged(self, BundleReport(path: path, status: .refused(sentence)))
        pause = loop.schedule(afterSeconds: Self.pauseSeconds) { [unowned self] in
            endPause()
            tried = nil
            consider()
        }
    }

    private func endPause() {
        guard let timer = pause else { return }
        timer.cancel()
        pause = nil
        pauseReason = nil
        refusal = nil
    }

    private func report(_ status: BundleReport.Status, _ zygote: Zygote) -> BundleReport {
        BundleReport(path: path, status: status, manifest: zygote.manifest, zygotePID: zygote.pid)
    }

    private static func text(of end: ZygoteEnd) -> String {
        switch end {
        case .refused(let sentence), .died(let sentence): sentence
        case .retired: "its runner left"
        }
    }
}
