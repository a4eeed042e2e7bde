// New versions on trial: how they get their share, what ends the trial, and the way back.
//
// The version before serves on beside one with a share, so the way back costs nothing. One that serves everything is
// watched, too; its way back is the private copy of the last version that was not on trial.

internal import Ports
internal import TaskModel

/// What the operator decides about new versions.
public struct TrialOptions: Sendable, Equatable {
    /// Of a new version's runs, above 0; 1: it serves everything at once.
    public var share = 1.0
    /// By names of bundles, where it is another.
    public var shares: [String: Double] = [:]
    /// Seconds for which a new version is watched; 0: it is not, and serves everything at once.
    public var seconds = 0.0

    public init() {}

    func share(of bundle: String) -> Double { seconds > 0 ? shares[bundle] ?? share : 1 }
}

extension BundleFile {
    // ---- the beginning ----

    /// Not the first version, nor the one that serves: of an app the file is the same and what it loads has changed.
    private func isNews(_ copy: PrivateCopy) -> Bool { served != nil && served?.identity != copy.identity }

    /// It gets a share of the runs first.
    func isForTrial(_ zygote: Zygote) -> Bool {
        active != nil && isNews(zygote.copy) && promoted != zygote.copy.identity
            && trials.share(of: zygote.manifest?.name ?? "") < 1
    }

    func beginTrial(with zygote: Zygote) {
        let share = trials.share(of: zygote.manifest?.name ?? "")
        endTrial()
        watch(zygote.copy, share: share, zygote: zygote)
        offerBoth()
        zygote.childPool.orderSpares()
        host.statusChanged(self, report(.trial(share: share), zygote))
    }

    /// It is about to serve everything.
    func versionComes(_ copy: PrivateCopy) {
        let hasProven = trial == nil || trial?.zygote != nil
        if isNews(copy) || trial?.zygote != nil { endTrial() }
        guard isNews(copy) else { return }
        if hasProven { proven = served }
        if trials.seconds > 0, promoted != copy.identity { watch(copy, share: 1, zygote: nil) }
    }

    private func watch(_ copy: PrivateCopy, share: Double, zygote: Zygote?) {
        lastTrial += 1
        trial = VersionTrial(number: lastTrial, copy: copy, share: share, zygote: zygote)
        trialEnd?.cancel()
        trialEnd = loop.schedule(afterSeconds: trials.seconds) { [weak self] in self?.timeIsOver() }
    }

    /// What only the new version has is offered as well; it gets all runs of that.
    private func offerBoth() {
        guard var manifest = servedManifest, let new = trial?.zygote?.manifest else { return }
        let known = Set(manifest.tasks.map(\.name))
        manifest.tasks += new.tasks.filter { !known.contains($0.name) }
        host.offers(self, manifest)
    }

    // ---- its runs ----

    struct Canary {
        let zygote: Zygote
        /// Its own entry for the task.
        let task: TaskManifest
        /// The version before does not have the task.
        let isOnlyOne: Bool
    }

    /// The version with a share, if it should have this run.
    func canary(for run: Run) -> Canary? {
        guard let zygote = trial?.zygote, zygote.phase == .ready,
            let own = zygote.manifest?.tasks.first(where: { $0.name == run.request.taskName })
        else { return nil }
        if servedManifest?.tasks.contains(where: { $0.name == run.request.taskName }) != true {
            return Canary(zygote: zygote, task: own, isOnlyOne: true)
        }
        // What has crashed once shall not fail because of a version on trial.
        guard run.request.starts <= 1 else { return nil }
        if !run.isCounted {
            run.isCounted = true
            trial?.runComes()
        }
        return trial?.isOwed == true ? Canary(zygote: zygote, task: own, isOnlyOne: false) : nil
    }

    /// It is to get the next run: nothing is put behind what the other version's children work on.
    var owesCanary: Bool { trial?.zygote != nil && trial?.isOwed == true }

    func canaryTook(_ run: Run) {
        run.trial = trial?.number ?? 0
        if trial?.isOwed == true { trial?.takesRun() }
    }

    /// Of a version that serves everything and is watched; 0: there is none.
    var watchNumber: Int { trial?.zygote == nil ? trial?.number ?? 0 : 0 }

    func ended(_ run: Run, hasCrashed: Bool) {
        guard run.trial == trial?.number else { return }
        trial?.note(run.request.taskName, hasCrashed: hasCrashed)
        if hasCrashed { judgeSoon() }
    }

    func zygoteOnTrialDied(_ zygote: Zygote) {
        guard zygote.copy === trial?.copy else { return }
        trial?.noteZygoteDeath()
        judgeSoon()
    }

    /// Not from within what tells of a run's end: children are let go.
    private func judgeSoon() {
        guard judging == nil else { return }
        judging = loop.schedule(afterSeconds: 0) { [weak self] in
            guard let self else { return }
            judging = nil
            if let why = trial?.isWorse(than: host.usualTally) { takeBack(why) }
        }
    }

    // ---- the end ----

    private func timeIsOver() {
        trialEnd = nil
        guard let over = trial else { return }
        guard let zygote = over.zygote else {
            host.becameUsual(over.tallies)
            return endTrial()
        }
        let lost = Self.tasks(of: servedManifest, notIn: zygote.manifest)
        guard lost.isEmpty else {
            return host.note(
                .warning,
                "\(path): \(Self.name(zygote.manifest)) stays on trial: it has no \(lost.joined(separator: ", ")), "
                    + "which the version before has. To have it all the same: taskhost bundles promote "
                    + "\(zygote.manifest?.name ?? path)")
        }
        takeOver(zygote, isWatched: true)
    }

    /// It has all runs from now on, and is watched with these once more, for as long.
    private func takeOver(_ zygote: Zygote, isWatched: Bool) {
        endWatching()
        trial = nil
        proven = served
        if isWatched { watch(zygote.copy, share: 1, zygote: nil) }
        serve(zygote)
    }

    func trialZygoteEnded(_ reason: String) {
        guard let bad = trial else { return }
        endWatching()
        trial = nil
        if isWanted { goBack(from: bad.copy.identity, bad.zygote?.manifest, "its process ended: \(reason)") }
    }

    private func takeBack(_ why: String) {
        guard let bad = trial else { return }
        let manifest = bad.zygote?.manifest ?? servedManifest
        endTrial(isReplaced: false)
        goBack(from: bad.copy.identity, manifest, why)
    }

    private func goBack(from identity: FileIdentity, _ manifest: BundleManifest?, _ why: String) {
        let sentence =
            "\(path): \(Self.name(manifest)) is taken back: \(why). The version before serves, until the file changes."
            + " Put a mended file in its place, or the older one (a worker that starts anew loads what is there)."
            + " To have this one all the same: taskhost bundles promote \(manifest?.name ?? path)"
        quarantine[identity] = sentence
        tried = identity
        promoted = nil
        if served?.identity == identity, let proven {
            serveAgain(proven)
            self.proven = nil
        } else {
            host.offers(self, servedManifest)
        }
        let report = BundleReport(path: path, status: .rolledBack(sentence), manifest: manifest)
        rollback = report
        host.statusChanged(self, report)
    }

    /// - Parameter isReplaced: a newer version comes, rather than none or the one before.
    func endTrial(isReplaced: Bool = true) {
        if let zygote = trial?.zygote { isReplaced ? drain(zygote) : retire(zygote) }
        endWatching()
        trial = nil
    }

    func endWatching() {
        trialEnd?.cancel()
        trialEnd = nil
        judging?.cancel()
        judging = nil
    }

    /// The file is gone.
    func forgetTrial() {
        endTrial(isReplaced: false)
        (proven, rollback, promoted, servedManifest) = (nil, nil, nil, nil)
    }

    // ---- what operators say ----

    func isNamed(_ name: String) -> Bool {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return [path, file, servedManifest?.name ?? "", trial?.zygote?.manifest?.name ?? ""].contains(name)
            || file == name + ".so"
    }

    /// - Returns: nil: there is nothing to promote.
    func promote() -> String? {
        if let zygote = trial?.zygote {
            promoted = zygote.copy.identity
            takeOver(zygote, isWatched: false)
            return "\(Self.name(zygote.manifest)) serves everything"
        }
        if trial != nil {
            endTrial()
            return "\(Self.name(servedManifest)) is watched no more"
        }
        guard rollback != nil, let identity = tried else { return nil }
        rollback = nil
        quarantine[identity] = nil
        (promoted, tried) = (identity, nil)
        consider()
        return "\(path) is loaded again"
    }

    /// - Returns: nil: there is nothing to go back to.
    func rollBack() -> String? {
        let why = "an operator said so"
        if let bad = trial {
            takeBack(why)
            return "\(Self.name(bad.zygote?.manifest ?? servedManifest)): the version before serves"
        }
        guard let served, let proven, proven !== served else { return nil }
        let manifest = servedManifest
        goBack(from: served.identity, manifest, why)
        return "\(Self.name(manifest)) is taken back: the version before serves"
    }

    // ---- words ----

    func warnOfLostTasks(_ new: BundleManifest) {
        let lost = Self.tasks(of: servedManifest, notIn: new)
        guard !lost.isEmpty else { return }
        host.note(
            .warning,
            "\(path): \(Self.name(new)) has no \(lost.joined(separator: ", ")), which \(Self.name(servedManifest)) had:"
                + " messages that call it are refused as not registered from now on")
    }

    private static func name(_ manifest: BundleManifest?) -> String {
        manifest.map { "\($0.name) \($0.version)" } ?? "the new version"
    }

    private static func tasks(of old: BundleManifest?, notIn new: BundleManifest?) -> [String] {
        let kept = Set((new?.tasks ?? []).map(\.name))
        return (old?.tasks ?? []).map(\.name).filter { !kept.contains($0) }
    }
}
