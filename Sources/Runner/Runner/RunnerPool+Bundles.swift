// The pool's bundles: folders, files, zygotes, and the end of it all.

internal import CLinux
internal import Glibc
public import Ports
internal import TaskModel

extension RunnerPool {
    public var bundles: [BundleReport] {
        folderReports.sorted { $0.key < $1.key }.map(\.value)
            + files.sorted { $0.key < $1.key }.flatMap { $0.value.reports }
    }

    func openFolders() {
        for path in options.pluginFolders {
            do throws(RunnerFailure) {
                folders.append(
                    try PluginFolder(path, trustsAnybody: options.trustsAnybody, loop: loop) { [unowned self] in
                        look()
                    })
            } catch {
                note(folder: path, error)
            }
        }
    }

    /// Folders are looked at again, and bundles that were named are loaded anew: what they are made of (an app's source)
    /// may have changed though their file has not.
    public func rescan() {
        guard !isClosing else { return }
        for bundle in options.bundles { files[bundle.path]?.forget() }
        look()
    }

    public func promote(_ name: String?) -> [String]? { named(name)?.compactMap { $0.promote() } }

    public func rollBack(_ name: String?) -> [String]? { named(name)?.compactMap { $0.rollBack() } }

    private func named(_ name: String?) -> [BundleFile]? {
        let all = files.sorted { $0.key < $1.key }.map(\.value)
        guard let name else { return all.filter { $0.trial?.zygote != nil } }
        let meant = all.filter { $0.isNamed(name) }
        return meant.isEmpty ? nil : meant
    }

    func look() {
        guard !isClosing else { return }
        var gone: [BundleFile] = []
        var present = options.bundles.map { file(at: $0.path) }
        for folder in folders {
            switch folder.scan() {
            case .failure(let failure):
                note(folder: folder.path, failure)
            case .success(let paths):
                folderReports[folder.path] = nil
                let names = Set(paths)
                gone += files.filter { isIn(folder, $0.key) && !names.contains($0.key) }.map(\.value)
                present += paths.map(file)
            }
        }
        // What went away first: its task names are free for what came.
        letGo(gone, for: present)
        for file in present { file.consider() }
        files = files.filter { $0.value.isWanted || !$0.value.isOver }
    }

    /// The last bundles that serve stay until another one does: without any, all messages would be refused as
    /// unregistered. So they do when the folder is left empty, as by a deployment that removes first and copies then.
    private func letGo(_ gone: [BundleFile], for present: [BundleFile]) {
        let othersServe = files.values.contains { file in file.active != nil && !gone.contains { $0 === file } }
        let staying = gone.filter { $0.active != nil && !othersServe }
        for file in gone where !staying.contains(where: { $0 === file }) { file.vanish() }
        for file in staying where !lingering.contains(where: { $0 === file }) {
            log(.warning, "\(file.path) is gone, but no other bundle is loaded: it goes on serving until one is")
        }
        lingering = staying
        if !staying.isEmpty { for file in present { file.reconsiderConflict() } }
    }

    private func file(at path: String) -> BundleFile {
        if let known = files[path] { return known }
        let file = BundleFile(
            path, trustsAnybody: options.trustsAnybody, trials: options.trials, host: self, loop: loop)
        files[path] = file
        return file
    }

    private func isIn(_ folder: PluginFolder, _ path: String) -> Bool {
        path.hasPrefix(folder.path + "/") && !path.dropFirst(folder.path.count + 1).contains("/")
    }

    private func note(folder path: String, _ failure: RunnerFailure) {
        let report = BundleReport(path: path, status: .refused(failure.description))
        guard folderReports[path] != report else { return }
        folderReports[path] = report
        log(.error, failure.description)
        events?.catalogChanged(report)
    }

    // ---- the end ----

    func beginClosing() {
        guard !isClosing else { return }
        isClosing = true
        for folder in folders { folder.close() }
        giveUpWaiting()
        for file in files.values { file.close(gracefully: true) }
        // Children that still run something do not leave by themselves.
        for zygote in live where !zygote.childPool.isIdle { zygote.kill("the host ends") }
        _ = loop.schedule(afterSeconds: 1) { [weak self] in
            guard let self else { return }
            for zygote in live { zygote.kill("the host ends") }
        }
        finishClosing()
    }

    func finishClosing() {
        guard isClosing, live.isEmpty, let done = closed else { return }
        closed = nil
        // Not from within a zygote's last callback.
        _ = loop.schedule(afterSeconds: 0, done)
    }
}

extension RunnerPool: BundleFileHost {
    func startZygote(
        _ copy: PrivateCopy, owner: any ZygoteOwner, spares: Int?
    ) throws(RunnerFailure) -> Zygote {
        let zygote = try newZygote(copy, owner: owner, spares: spares)
        live.append(zygote)
        return zygote
    }

    func isLoaded(_ file: BundleFile) {
        let left = lingering.filter { $0 !== file }
        lingering = []
        for file in left { file.vanish() }
    }

    func conflict(of manifest: BundleManifest, in file: BundleFile) -> String? {
        catalog.conflict(of: manifest, in: file) ?? options.objection(manifest).map { "\(file.path) \($0)" }
    }

    func offers(_ file: BundleFile, _ manifest: BundleManifest?) {
        let freed = catalog.set(manifest, of: file)
        if manifest != nil { file.active?.childPool.orderSpares() }
        capacityFreed()
        guard freed else { return }
        for other in files.values where other !== file { other.reconsiderConflict() }
    }

    func statusChanged(_ file: BundleFile, _ report: BundleReport) {
        events?.catalogChanged(report)
    }

    func note(_ level: LogLevel, _ line: String) { log(level, line) }

    func usualTally(_ task: String) -> RunTally { catalog.knownPace(of: task)?.usual ?? RunTally() }

    func becameUsual(_ tallies: [String: RunTally]) {
        for (task, tally) in tallies { catalog.knownPace(of: task)?.usual = tally }
    }

    func zygoteEnded(_ zygote: Zygote, lost: [LostRun], reason: String) {
        live.removeAll { $0 === zygote }
        let bundle = zygote.copy.original
        let begun = lost.filter(\.hadBegun).count
        for item in lost {
            let outcome: Outcome =
                if let killed = item.run.killedOutcome {
                    killed
                } else if isClosing {
                    .terminated(signal: SIGKILL)
                } else if !item.hadBegun {
                    .runnerFault(reason)
                } else if begun == 1 {
                    .died(Death(cause: .zygoteLost(bundle: bundle, reason)))
                } else {
                    .suspect(bundle: bundle, reason)
                }
            finished(item.run, RunReport(outcome: outcome, output: item.output))
        }
        capacityFreed()
        finishClosing()
    }

    func lookAgain() {
        for folder in folders { folder.look(afterSeconds: PluginFolder.debounceSeconds) }
    }
}
