// A dry run of loading: what each file would offer, or why it would be refused. For `taskhost bundles`.

internal import CRunnerProtocol
internal import Glibc
public import Ports
public import TaskModel

/// Loads each file in a zygote of its own, asks what it offers, and lets the zygote go. Runs no task.
public final class BundleInspector {
    private let loop: any EventLoop
    private let options: RunnerOptions
    private let log: RunnerLog
    private let sequence = SequenceSource()
    private let noRuns = NoRuns()
    private var inspections: [Inspection] = []
    private var done: (([BundleReport]) -> Void)?

    public init(
        loop: any EventLoop, options: RunnerOptions, log: @escaping (_ level: LogLevel, _ line: String) -> Void
    ) throws(RunnerFailure) {
        self.loop = loop
        self.options = options
        self.log = log
        loop.atTurnEnd { [weak self] in self?.flush() }
    }

    /// The bundles of a folder, as the host would see them; or a sentence why it would not use the folder.
    public func bundles(in folder: String) -> Result<[String], RunnerFailure> {
        do throws(RunnerFailure) {
            let folder = try PluginFolder(folder, trustsAnybody: options.trustsAnybody, loop: loop) {}
            defer { folder.close() }
            return folder.scan()
        } catch {
            return .failure(error)
        }
    }

    /// `done` with one report per path, in that order: active (it would be used) or refused. One call at a time.
    public func inspect(_ paths: [String], done: @escaping ([BundleReport]) -> Void) {
        precondition(self.done == nil, "inspect is called again before it was done")
        self.done = done
        inspections = paths.map { Inspection($0, trustsAnybody: options.trustsAnybody) }
        for inspection in inspections {
            inspection.changed = { [unowned self] in finishIfOver() }
            inspection.begin { (copy) throws(RunnerFailure) in
                try Zygote(
                    copy, options: options, loop: loop, sequence: sequence, sink: noRuns, owner: inspection, log: log)
            }
        }
        finishIfOver()
    }

    private func flush() {
        for inspection in inspections { inspection.zygote?.flush() }
    }

    private func finishIfOver() {
        guard let done, inspections.allSatisfy({ $0.isOver }) else { return }
        self.done = nil
        let reports = Self.withConflicts(inspections.map(\.report).map(withObjection))
        // Not from within a zygote's last callback.
        _ = loop.schedule(afterSeconds: 0) { done(reports) }
    }

    private func withObjection(_ report: BundleReport) -> BundleReport {
        guard let manifest = report.manifest, let objection = options.objection(manifest) else { return report }
        return BundleReport(path: report.path, status: .refused("\(report.path) \(objection)"))
    }

    /// As in the host, the first file that offers a task keeps it.
    private static func withConflicts(_ reports: [BundleReport]) -> [BundleReport] {
        var owners: [String: String] = [:]
        return reports.map { report in
            guard let tasks = report.manifest?.tasks else { return report }
            if let task = tasks.first(where: { owners[$0.name] != nil }), let owner = owners[task.name] {
                let sentence = Catalog.conflictSentence(task: task.name, in: report.path, owner: owner)
                return BundleReport(path: report.path, status: .refused(sentence))
            }
            for task in tasks { owners[task.name] = report.path }
            return report
        }
    }
}

/// One file being looked at.
private final class Inspection: ZygoteOwner {
    private let trustsAnybody: Bool
    private(set) var report: BundleReport
    private(set) var zygote: Zygote?
    private(set) var isOver = false
    /// Called when it is over.
    var changed: () -> Void = {}

    init(_ path: String, trustsAnybody: Bool) {
        self.trustsAnybody = trustsAnybody
        report = BundleReport(path: path, status: .loading)
    }

    func begin(_ start: (PrivateCopy) throws(RunnerFailure) -> Zygote) {
        do throws(PrivateCopy.Failure) {
            let copy = try PrivateCopy(of: report.path, trustsAnybody: trustsAnybody)
            do throws(RunnerFailure) {
                zygote = try start(copy)
            } catch {
                refuse(error.description)
            }
        } catch {
            switch error {
            case .gone: refuse("\(report.path) does not exist. Check the path.")
            case .changing: refuse("\(report.path) is being written to. Try again when that is over.")
            case .refused(let sentence), .system(let sentence): refuse(sentence)
            }
        }
    }

    func zygoteReady(_ zygote: Zygote) {
        report.status = .active
        report.manifest = zygote.manifest
        zygote.retire()
    }

    func zygoteEnded(_ zygote: Zygote, _ end: ZygoteEnd, lost: [LostRun]) {
        self.zygote = nil
        isOver = true
        if report.manifest == nil {
            switch end {
            case .refused(let sentence), .failed(let sentence), .died(let sentence): refuse(sentence)
            case .retired: refuse("\(report.path): its runner left before it was asked to.")
            }
        }
        changed()
    }

    private func refuse(_ sentence: String) {
        report.status = .refused(sentence)
        isOver = true
    }
}

/// An inspection starts no runs, so none can report.
private final class NoRuns: RunSink {
    func began(_ run: Run, pid: Int32) {}
    func stateChanged(_ run: Run, state: String, meta: [UInt8]) {}
    func sent(_ run: Run, _ submission: Submission) {}
    func said(_ run: Run, level: LogLevel?, line: String) {}
    func finished(_ run: Run, _ report: RunReport) {}
    var tally: ChildTally { ChildTally() }
    func forked() {}
    func capacityFreed() {}
}
