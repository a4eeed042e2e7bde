import Canvas
import Engine
import Runner

extension Configuration {
    func engineOptions() -> EngineOptions {
        let preferences = queues.entries.map { entry in
            QueuePreference(declaration: declaration(of: entry.name), share: entry.share)
        }
        var made = EngineOptions(slots: slotsAtFirst, queues: preferences, nodeName: nodeName)
        made.graceSeconds = grace
        made.softStopSeconds = softShutdown
        made.stallSeconds = stallAfter
        made.autoscale = autoscale
        made.autoscaleKeepSeconds = autoscaleKeep
        made.allowsPoolRestart = allowsPoolRestart
        made.defaults.softLimit = softTimeLimit
        made.defaults.hardLimit = timeLimit
        made.defaults.memoryLimit = memoryLimit
        made.defaults.acksLate = acksLate
        made.defaults.acksOnFailure = acksOnFailure
        made.defaults.acksOnTimeout = acksOnTimeout
        made.defaults.rejectOnWorkerLost = rejectOnWorkerLost
        made.deduplicatesSuccessful = deduplicatesSuccessful
        made.defaults.trackStarted = trackStarted
        made.defaults.ignoreResult = ignoreResult
        made.inheritsPriority = inheritsPriority
        made.defaults.maxStarts = maxStarts
        switch isolation {
        case .asTasksAsk: break
        case .alwaysFresh: made.defaults.alwaysFresh = true
        case .keep(let count): made.defaults.keep = count
        }
        made.overrides = tasks
        made.routes.rules = routes
        made.lookAheadPerSlot = prefetchMultiplier
        made.resultExpiresSeconds = resultExpires
        made.resultExtended = resultExtended
        made.storeErrorsEvenIfIgnored = storeErrorsEvenIfIgnored
        made.traceSampleRatio = traces.endpoint == nil ? nil : traces.sampleRatio
        made.wireLimits = limits
        made.acceptContent = acceptContent
        made.taskSerializer = taskSerializer
        made.taskCompression = taskCompression
        if case .redis = broker { made.lowestPriorityFirst = true }
        made.seed = UInt64.random(in: .min ... .max)
        return made
    }

    /// - Parameter environment: ours; bundles see only what is listed.
    func runnerOptions(runnerPath: String, folders: [String], environment: [String: String]) -> RunnerOptions {
        var made = RunnerOptions(
            runnerPath: runnerPath, pluginFolders: folders, slots: slotsAtFirst,
            environment: environment.filter { environmentForBundles.contains($0.key) }, ownsAllChildren: true,
            mostResidentKiB: maxMemoryPerChildKiB)
        made.objection = BundleSchedules.objection
        return made
    }
}
