// Which setting fills which option of which part: one row each.
import Engine
import Ports
import Runner
import Settings

struct Filling<Options>: Sendable {
    let fill: @Sendable (inout Options, SettingsLayer) -> Void

    init<Value>(_ key: Key<Value>, _ option: any WritableKeyPath<Options, Value> & Sendable) {
        fill = { options, settings in options[keyPath: option] = settings[key] }
    }
}

extension Filling where Options == EngineOptions {
    static var engine: [Filling] {
        let (worker, results) = (Settings.worker, Settings.results)
        return [
            .init(worker.grace, \.graceSeconds),
            .init(worker.softShutdownTimeout, \.softStopSeconds),
            .init(worker.stallAfter, \.stallSeconds),
            .init(worker.autoscaleKeepalive, \.autoscaleKeepSeconds),
            .init(worker.poolRestarts, \.allowsPoolRestart),
            .init(worker.prefetchMultiplier, \.prefetchPerSlot),
            .init(worker.deduplicateSuccessfulTasks, \.deduplicatesSuccessful),
            .init(worker.inheritParentPriority, \.inheritsPriority),
            .init(results.expires, \.resultExpiresSeconds),
            .init(results.extended, \.resultExtended),
            .init(results.storeErrorsEvenIfIgnored, \.storeErrorsEvenIfIgnored),
            .init(Settings.traces.propagate, \.carriedHeaders),
            .init(Settings.limits.maxHeldBytes, \.maxHeldBytes),
            .init(Settings.limits.maxWaiting, \.maxWaiting),
            .init(Settings.wire.acceptContent, \.acceptContent),
            .init(Settings.wire.taskSerializer, \.taskSerializer),
            .init(Settings.wire.taskCompression, \.taskCompression),
        ]
    }
}

extension Filling where Options == RunnerOptions {
    static var runner: [Filling] { [.init(Settings.worker.maxMemoryPerChild, \.maxResidentKiB)] }
}

extension Filling where Options == Confinement {
    static var confinement: [Filling] {
        let sandbox = Settings.sandbox
        return [
            .init(sandbox.debuggable, \.isDebuggable),
            .init(sandbox.newPrivileges, \.allowsNewPrivileges),
            .init(sandbox.signals, \.allowsSignals),
            .init(sandbox.oomScore, \.oomScore),
            .init(sandbox.maxFileMiB, \.maxFileMebibytes),
            .init(sandbox.maxProcesses, \.maxProcesses),
        ]
    }
}

extension Filling where Options == ResultOptions {
    static var results: [Filling] {
        let results = Settings.results
        return [
            .init(results.keyPrefix, \.keyPrefix),
            .init(results.expires, \.chordsExpireSeconds),
            .init(results.taskTable, \.taskTable),
            .init(results.groupTable, \.groupTable),
            .init(results.readers, \.readers),
        ]
    }
}

extension Filling where Options == TransportOptions {
    static var transports: [Filling] {
        [
            .init(Settings.broker.delayQueueType, \.delayQueueKind),
            .init(Settings.broker.deadQueueType, \.deadQueueKind),
        ]
    }
}
