// One file of a plugins folder through its versions: loading, serving, being replaced, being refused.
//
// What has served stays served: when its zygote dies another one is started from the same sealed copy, as often and as
// late as it takes, and its runs wait. Only a version that never served can be refused.

internal import CLinux
internal import Glibc
internal import Ports
internal import TaskModel

final class BundleFile: ZygoteOwner {
    let path: String
    /// The newest healthy version; nil while it is started again, and when there is none.
    var active: Zygote?
    /// Why its runs cannot be started for some time.
    private(set) var pauseReason: String?
    private(set) var isWanted = true

    unowned let host: any BundleFileHost
    let trustsAnybody: Bool
    let trials: TrialOptions
    let loop: any EventLoop
    /// A version that has not served yet.
    var candidate: Zygote?
    /// What serves, or did when its zygote died.
    var served: PrivateCopy?
    var servedManifest: BundleManifest?
    /// The version that serves, or has a share of the runs, is watched: BundleFile+Trial.
    var trial: VersionTrial?
    var trialEnd: (any LoopTimer)?
    var lastTrial = 0
    var judging: (any LoopTimer)?
    /// The last version before it that was not on trial; it stays for a way back.
    var proven: PrivateCopy?
    /// The file as it is now does not serve though it can.
    var rollback: BundleReport?
    /// The version that an operator wants, whatever came of its trial.
    var promoted: FileIdentity?
    /// Of the served version, in the place of one that died.
    private var revived: Zygote?
    private var deaths = DeathBook()
    private var revival: (any LoopTimer)?
    private let lone: LoneZygote
    var draining: [Zygote] = []
    var tried: FileIdentity?
    var refusal: String?
    private var isInConflict = false
    var quarantine: [FileIdentity: String] = [:]
    var retry: (any LoopTimer)?
    /// Before a version that never served is tried again, when it was not its fault.
    var retries = Backoff(initial: 5, max: 60)

    init(
        _ path: String, trustsAnybody: Bool, trials: TrialOptions, host: any BundleFileHost, loop: any EventLoop
    ) {
        self.path = path
        self.trustsAnybody = trustsAnybody
        self.trials = trials
        self.host = host
        self.loop = loop
        lone = LoneZygote(loop: loop)
    }

    /// Nothing of it runs.
    var isOver: Bool { zygotes.isEmpty }

    var zygotes: [Zygote] { [active, revived, candidate, trial?.zygote, lone.zygote].compactMap { $0 } + draining }

    var reports: [BundleReport] {
        var reports: [BundleReport] = []
        if let active { reports.append(report(.active, active)) }
        if let trial, let zygote = trial.zygote { reports.append(report(.trial(share: trial.share), zygote)) }
        if active == nil, let loading = revived ?? candidate { reports.append(report(.loading, loading)) }
        if let sentence = pauseReason ?? refusal {
            reports.append(BundleReport(path: path, status: .refused(sentence), manifest: nil))
        }
        if let rollback { reports.append(rollback) }
        return reports + draining.map { report(.draining, $0) }
    }

    /// Loads the file if it is not what was loaded, or refused, last.
    func consider() {
        isWanted = true
        var status = stat()
        guard stat(path, &status) == 0 else {
            // Anything else than a file that is gone will pass.
            if errno == ENOENT || errno == ENOTDIR { vanish() }
            return
        }
        let identity = FileIdentity(status)
        guard identity != tried else { return }
        endRetry()
        if let known = quarantine[identity] {
            tried = identity
            return refuse(known)
        }
        load()
    }

    /// The next look loads it, even if the file is what it was.
    func forget() {
        quarantine = [:]
        tried = nil
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
        endRetry()
        endPause()
        tried = nil
        refusal = nil
        served = nil
        forgetTrial()
        candidate?.kill("\(path) went away")
        revived?.kill("\(path) went away")
        for zygote in [active, lone.letGo()] { if let zygote { retire(zygote) } }
        active = nil
        host.offers(self, nil)
        host.statusChanged(self, BundleReport(path: path, status: .gone))
    }

    /// The zygote for runs that must be alone in theirs; nil: not now, `capacityFreed` follows.
    func loneZygote() -> Zygote? {
        guard isWanted, let served, pauseReason == nil else { return nil }
        return lone.ready(for: served, owner: self, host: host)
    }

    /// Twice a second.
    func tidy() {
        if let idle = lone.idle() { retire(idle) }
    }

    /// For the end of the pool.
    func close(gracefully: Bool) {
        isWanted = false
        endRetry()
        endPause()
        lone.close()
        served = nil
        endWatching()
        for zygote in zygotes { gracefully ? zygote.retire() : zygote.kill("the host ends") }
    }

    // ---- ZygoteOwner ----

    func zygoteReady(_ zygote: Zygote) {
        if zygote === lone.zygote {
            lone.becameReady()
            return host.capacityFreed()
        }
        guard zygote === candidate || zygote === revived, isWanted, let manifest = zygote.manifest else {
            return zygote.retire()
        }
        let isNew = zygote === candidate
        if isNew { candidate = nil } else { revived = nil }
        isInConflict = false
        host.isLoaded(self)
        if let conflict = host.conflict(of: manifest, in: self) {
            retire(zygote)
            isInConflict = true
            return refuse(conflict)
        }
        if isNew {
            refusal = nil
            retries.reset()
            if isForTrial(zygote) { return beginTrial(with: zygote) }
            versionComes(zygote.copy)
        }
        serve(zygote)
    }

    /// All of its bundle's runs, in the place of what did so before.
    func serve(_ zygote: Zygote) {
        if let older = active, older !== zygote { drain(older) }
        if let older = revived {
            revived = nil
            draining.append(older)
            older.kill("a newer version came")
        }
        if served !== zygote.copy, let older = lone.letGo() { drain(older) }
        if let manifest = zygote.manifest { warnOfLostTasks(manifest) }
        active = zygote
        served = zygote.copy
        servedManifest = zygote.manifest
        deaths.served()
        endPause()
        host.offers(self, zygote.manifest)
        host.statusChanged(self, report(.active, zygote))
    }

    /// That version in the place of what serves, which finishes what it runs; runs wait for it meanwhile.
    func serveAgain(_ copy: PrivateCopy) {
        if let worse = active {
            active = nil
            retire(worse)
        }
        if let worse = revived {
            revived = nil
            draining.append(worse)
            worse.kill("an older version comes back")
        }
        if let worse = lone.letGo() { retire(worse) }
        served = copy
        endPause()
        reviveNow()
    }

    func zygoteEnded(_ zygote: Zygote, _ end: ZygoteEnd, lost: [LostRun]) {
        let reason = end.text
        if zygote === candidate {
            candidate = nil
            // Killed because something newer came, or the file went away: no fault of the bundle.
            if isWanted { candidateFailed(zygote, end) }
        } else if zygote === revived {
            revived = nil
            if isWanted { revive(afterSeconds: deaths.failed(), reason) }
        } else if zygote === active {
            active = nil
            if end.isDeath { zygoteOnTrialDied(zygote) }
            if isWanted { revive(afterSeconds: deaths.died(at: loop.clocks.monotonic.nanoseconds), reason) }
        } else if zygote === trial?.zygote {
            trialZygoteEnded(reason)
        } else if !lone.ended(zygote) {
            draining.removeAll { $0 === zygote }
        }
        host.zygoteEnded(zygote, lost: lost, reason: reason)
    }

    /// A newer version takes its place.
    func drain(_ zygote: Zygote) {
        retire(zygote)
        host.statusChanged(self, report(.draining, zygote))
    }

    /// It finishes what it runs; no newer version takes its place.
    func retire(_ zygote: Zygote) {
        draining.append(zygote)
        zygote.retire()
    }

    // ---- the version that served ----

    /// Its tasks stay in the catalog meanwhile: their runs wait.
    private func revive(afterSeconds seconds: Double, _ reason: String) {
        guard seconds > 0 else { return reviveNow() }
        let sentence =
            "\(path) is paused for \(seconds < 1 ? "\(seconds)" : "\(Int(seconds))") s: \(reason)."
            + " Its tasks wait. A new version is loaded at once."
        pauseReason = sentence
        revival?.cancel()
        revival = loop.schedule(afterSeconds: seconds) { [unowned self] in
            endPause()
            reviveNow()
        }
        host.statusChanged(self, BundleReport(path: path, status: .refused(sentence)))
        // Those that wait for it must not keep slots from others.
        host.capacityFreed()
    }

    private func reviveNow() {
        guard isWanted, let served, active == nil, revived == nil else { return }
        do throws(RunnerFailure) {
            let zygote = try host.startZygote(served, owner: self, spares: nil)
            revived = zygote
            host.statusChanged(self, BundleReport(path: path, status: .loading, zygotePID: zygote.pid))
        } catch {
            revive(afterSeconds: deaths.failed(), error.description)
        }
    }

    private func endPause() {
        revival?.cancel()
        revival = nil
        pauseReason = nil
    }

    func report(_ status: BundleReport.Status, _ zygote: Zygote) -> BundleReport {
        BundleReport(
            path: path, status: status, manifest: zygote.manifest, zygotePID: zygote.pid,
            watched: zygote.copy === trial?.copy ? trial?.total : nil)
    }
}
