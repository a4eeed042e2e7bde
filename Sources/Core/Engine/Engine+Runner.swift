// What the runner says of runs and bundles: to the core, to the log.
import CeleryWire
import Logging
public import Ports
public import TaskModel

extension Engine: RunnerEvents {
    public func began(_ run: RunID, pid: Int32) { handle(.began(run, pid: pid)) }

    public func stateChanged(_ run: RunID, state: String, meta: [UInt8]) {
        handle(.stateChanged(run, state: state, meta: meta))
    }

    /// Characters kept for `inspect active`.
    private static let longestLastLine = 200

    public func said(_ run: RunID, level: LogLevel?, line: String) {
        let item = core.inFlight[run: run]
        item?.execution?.lastLine = String(line.prefix(Self.longestLastLine))
        let message = item?.message
        let errback = core.inFlight.errback(run)?.errback
        let source: Logger.Metadata = [
            "task_id": "\(message?.id ?? errback?.id ?? run.description)",
            "task": "\(message?.name ?? errback?.task ?? "")",
        ]
        switch level {
        case nil, .info: log.info("\(line)", metadata: source)
        case .debug: log.debug("\(line)", metadata: source)
        case .warning: log.warning("\(line)", metadata: source)
        case .error: log.error("\(line)", metadata: source)
        }
    }

    public func sent(_ run: RunID, _ submission: Submission) { handle(.sent(run, submission)) }

    public func finished(_ run: RunID, _ report: RunReport) { handle(.finished(run, report)) }

    public func returned(_ run: RunID) { handle(.returned(run)) }

    private func checkRate(_ task: TaskManifest) {
        do throws(ControlRefusal) {
            _ = try RateLimit.parse(task.options.rateLimit)
        } catch {
            log.error(
                "Task \(task.name) runs without its rate limit '\(task.options.rateLimit ?? "")': write \"10/m\", say")
        }
    }

    public func catalogChanged(_ report: BundleReport) {
        switch report.status {
        case .loading: log.debug("Loading \(report.path)")
        case .active:
            let names = report.manifest?.tasks.map(\.name).joined(separator: ", ") ?? ""
            log.info("Bundle \(report.manifest?.name ?? "?") \(report.manifest?.version ?? "") loaded: \(names)")
            for task in report.manifest?.tasks ?? [] {
                checkRate(task)
                checkScope(task)
            }
        case .trial(let share):
            let percent = ((share * 1000).rounded() / 10).plain
            let version = "\(report.manifest?.name ?? "?") \(report.manifest?.version ?? "")"
            log.info("Bundle \(version) is on trial: it gets \(percent) % of its runs")
        case .rolledBack(let reason): log.error("Bundle taken back: \(reason)", metadata: ["event": "bundle_rollback"])
        case .draining: log.info("A newer version replaces \(report.path); the old one finishes what it runs")
        case .refused(let reason): log.error("Bundle refused: \(reason)")
        case .gone: log.info("Bundle \(report.path) is gone")
        }
        handle(.catalogChanged(active: report.status == .active))
        consumeWhenLoaded()
        onCatalog()
        onBundle(report)
    }
}
