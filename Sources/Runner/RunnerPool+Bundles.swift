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
                    try PluginFolder(path, loop: loop) { [unowned self] in rescan() })
            } catch {
                note(folder: path, error)
            }
        }
    }

    public func rescan() {
        guard !isClosing else { return }
        var gone: [BundleFile] = []
        var present: [BundleFile] = []
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
    /// unregistered. An empty folder means what it says.
    private func letGo(_ gone: [BundleFile], for present: [BundleFile]) {
        let othersServe = files.values.contains { file in file.active != nil && !gone.contains { $0 === file } }
        let staying = gone.filter { $0.active != nil && !othersServe && !present.isEmpty }
        for file in gone where !staying.contains(where: { $0 === file }) { file.vanish() }
        for file in staying where !lingering.contains(where: { $0 === file }) {
            log(2, "\(file.path) is gone, but no other bundle is loaded: it goes on serving until one is")
        }
        lingering = staying
        if !staying.isEmpty { for file in present { file.reconsiderConflict() } }
    }

    private func file(at path: String) -> BundleFile {
        if let known = files[path] { return known }
        let file = BundleFile(path, host: self, loop: loop)
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
        log(3, failure.description)
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
        for zygote in live where !zygote.crew.isEmpty { zygote.kill("the host ends") }
        _ = loop.schedule(afterSeconds: 1) { [weak self] in
            guard let self else { return }
            for zygote in live { zygote.kill("the host ends") }
        }
        finishClosing()
    }

    func finishClosing() {
        guard isClosing, live.isEmpty, let done = closed else { return }
        closed = nil
        directory?.remove()
        directory = nil
        // Not from within a zygote's last callback.
        _ = loop.schedule(afterSeconds: 0, done)
    }
}

extension RunnerPool: BundleFileHost {
    func privateCopy(of path: String) throws(PrivateCopy.Failure) -> PrivateCopy {
        guard let directory else { throw .gone }
        copies += 1
        return try PrivateCopy(of: path, in: directory, number: copies)
    }

    func startZygote(_ copy: PrivateCopy, owner: any ZygoteOwner) throws(RunnerFailure) -> Zygote {
        let zygote = try newZygote(copy, owner: owner)
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
        if manifest != nil { file.active?.crew.orderSpares() }
        capacityFreed()
        guard freed else { return }
        for other in files.values where other !== file { other.reconsiderConflict() }
    }

    func statusChanged(_ file: BundleFile, _ report: BundleReport) {
        events?.catalogChanged(report)
    }

    func zygoteEnded(_ zygote: Zygote, lost: [Run], reason: String) {
        live.removeAll { $0 === zygote }
        for run in lost {
            let outcome: Outcome =
                run.killedOutcome ?? (isClosing ? .terminated(signal: SIGKILL) : .runnerFault(reason))
            finished(run, RunReport(outcome: outcome))
        }
        capacityFreed()
        finishClosing()
    }

    func lookAgain() {
        for folder in folders { folder.look(afterSeconds: PluginFolder.debounceSeconds) }
    }
}
