// The reply to `bundles`, a command of our own: each version of each bundle, and what it does.
import Ports
import TaskModel
import TaskhostJSON

enum BundlesReply {
    static func json(_ bundles: [BundleReport]) -> JSON { .array(bundles.map(json)) }

    static func json(_ report: BundleReport) -> JSON {
        let (state, share, reason) = words(report.status)
        return [
            "path": .string(report.path), "name": report.manifest.map { .string($0.name) } ?? nil,
            "version": report.manifest.map { .string($0.version) } ?? nil, "state": .string(state),
            "share": .double(share), "runs": report.watched.map { .int(Int64($0.runs)) } ?? nil,
            "crashes": report.watched.map { .int(Int64($0.crashes)) } ?? nil,
            "pid": report.zygotePID.map { .int(Int64($0)) } ?? nil, "reason": reason.map { .string($0) } ?? nil,
        ]
    }

    /// Of the bundle's runs its share.
    private static func words(_ status: BundleReport.Status) -> (state: String, share: Double, reason: String?) {
        switch status {
        case .loading: ("loading", 0, nil)
        case .active: ("serving", 1, nil)
        case .trial(let share): ("trial", share, nil)
        case .rolledBack(let reason): ("taken back", 0, reason)
        case .draining: ("finishing", 0, nil)
        case .refused(let reason): ("refused", 0, reason)
        case .gone: ("gone", 0, nil)
        }
    }
}
