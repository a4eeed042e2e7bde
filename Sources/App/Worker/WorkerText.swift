// What a worker's log says of its life: start, ready, stop.
import Configuration
import Engine
import Logging
import Output
import Ports
import PythonApp
import Runner
import Settings
import TaskModel
import Transports

struct WorkerText {
    private let parts: WorkerParts
    private var configuration: Configuration { parts.configuration }
    private var log: Logger { parts.log }

    init(_ parts: WorkerParts) { self.parts = parts }

    func reportStart() {
        let banner = Banner(
            configuration: configuration, broker: parts.broker.description,
            results: parts.store?.description ?? "none", folders: parts.folders)
        if parts.logSetup.isJSON {
            log.info("starting", metadata: banner.metadata)
        } else {
            parts.logSetup.sink.write(banner.text)
        }
        warnOfApp()
    }

    private func warnOfApp() {
        guard let app = configuration.python else { return }
        if !app.unsent.isEmpty {
            let said = app.unsent.map { "\($0.name) (\($0.receiver)): \($0.instead)" }.joined(separator: "; ")
            log.warning(
                "\(app.name) waits for signals that are not sent here: \(said)", metadata: ["event": "signals_not_sent"]
            )
        }
        guard !app.notHonoured.isEmpty else { return }
        log.warning(
            "not honoured of \(app.name)'s settings: \(app.notHonoured.map(\.name).joined(separator: ", ")); `taskhost doctor -A \(app.name)` says why",
            metadata: ["event": "settings_not_honoured"])
    }

    /// - Parameter isSubscribed: commands for all workers reach this one.
    func reportReady(isSubscribed: Bool) {
        if !isSubscribed {
            log.warning("remote control does not reach this worker: \(configuration.broker.system.subscriptionHint)")
        }
        let bundles = parts.runner.bundles.filter { $0.status == .active }
        let manifests = bundles.flatMap { $0.manifest?.tasks ?? [] }
        warnOfKeys(manifests)
        for warning in TaskCheck(configuration: configuration, tasks: manifests).warningsAtStart() {
            log.warning("\(warning)")
        }
        log.info(
            "ready: \(manifests.count) tasks from \(bundles.count) bundles",
            metadata: [
                "event": "ready", "queues": .array(configuration.queues.entries.map { .string($0.name) }),
                "concurrency": .stringConvertible(configuration.slotsAtFirst),
                "tasks": .array(manifests.map(\.name).sorted().map { .string($0) }),
            ])
    }

    /// - Parameter cause: a signal, a command, or what went wrong.
    func reportStop(_ kind: StopKind, cause: String) {
        let how =
            switch kind {
            case .warm:
                "stopping (\(cause)): what runs has \(configuration[Settings.worker.grace].plain) s to finish, less after a second signal"
            case .soft:
                "stopping (\(cause)): what runs has \(configuration[Settings.worker.softShutdownTimeout].plain) s to finish"
            case .cold: "stopping now (\(cause)): what runs goes back to its queue"
            }
        log.info("\(how)", metadata: ["event": "stopping", "kind": "\(kind)", "cause": "\(cause)"])
    }

    /// Of tasks without the argument that is their limit's key: their messages would all have the same one.
    private func warnOfKeys(_ tasks: [TaskManifest]) {
        for task in tasks {
            guard let text = configuration.tasks[task.name]?.limitKey, let key = LimitKey(text), !key.fits(task) else {
                continue
            }
            let has = task.parameters.map(\.name).joined(separator: ", ")
            log.warning("tasks.\"\(task.name)\".limit_key is \"\(text)\", and the task's arguments are: \(has)")
        }
    }
}
