// The options of engine and runner. What only passes a setting on is a row in Filling.swift.
import Canvas
import CeleryWire
package import Engine
import Logging
import Ports
import PythonApp
package import Runner
import Settings
import TaskModel
import Transports

extension Configuration {
    package func engineOptions() -> EngineOptions {
        let preferences = queues.entries.map { entry in
            QueuePreference(declaration: declaration(of: entry.name), share: entry.share)
        }
        var made = EngineOptions(slots: slotsAtFirst, queues: preferences, nodeName: nodeName)
        for row in Filling.engine { row.fill(&made, settings) }
        made.autoscale = autoscale
        made.defaults = taskDefaults
        switch isolation {
        case .asTasksAsk: break
        case .alwaysFresh: made.alwaysFresh = true
        case .keep(let count): made.defaults.keep = count
        }
        made.overrides = tasks
        made.routes.rules = routes
        made.traceSampleRatio = traces.endpoint == nil ? nil : self[Settings.traces.sampleRatio]
        made.wireLimits = wireLimits
        if let python {
            made.unknownTaskHint =
                "The app \(python.name) has no such task: is its module imported, in `include`, or found by "
                + "autodiscover_tasks()? `taskhost bundles -A \(python.name)` lists its tasks."
        }
        made.lowestPriorityFirst = broker.system.lowestPriorityFirst
        made.seed = UInt64.random(in: .min ... .max)
        return made
    }

    private var wireLimits: WireLimits {
        let limits = Settings.limits
        return WireLimits(
            maxBodyBytes: self[limits.maxBodyBytes], maxDepth: self[limits.maxDepth], maxNodes: self[limits.maxNodes],
            maxHeaderDepth: self[limits.maxHeaderDepth], maxHeaderFields: self[limits.maxHeaderFields],
            maxHeaderBytes: self[limits.maxHeaderBytes])
    }

    /// - Parameter environment: ours; bundles see only what is listed.
    package func runnerOptions(runnerPath: String, folders: [String], environment: [String: String]) -> RunnerOptions {
        let seen = self[Settings.worker.environment]
        var made = RunnerOptions(
            runnerPath: runnerPath, pluginFolders: folders, slots: slotsAtFirst,
            environment: environment.filter { seen.contains($0.key) }, ownsAllChildren: true)
        for row in Filling.runner { row.fill(&made, settings) }
        if let python {
            made.bundles = [
                NamedBundle(
                    path: python.bundle,
                    environment: python.environment(
                        environment, nodeName: nodeName, logLevel: self[Settings.log.level].rawValue,
                        keep: isolation == .asTasksAsk ? nil : isolation.count),
                    loadTimeoutSeconds: python.importSeconds)
            ]
        }
        made.confinement = sandbox
        made.trials = trials
        made.trustsAnybody = self[Settings.sandbox.trustPlugins]
        made.objection = BundleSchedules.objection
        return made
    }
}
