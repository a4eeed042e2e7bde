import Ports
// Stopping: what runs may finish, what does not run is requeued uncharged, nothing is forgotten.
import TaskModel

extension EngineCore {
    mutating func stop(_ kind: StopKind, _ actions: inout [EngineAction]) {
        let isFirst = life.stopping == nil
        guard life.stop(kind) else { return }
        if isFirst {
            actions.append(.stopConsuming)
            actions.append(.disarm(.credit))
            actions.append(.disarm(.scale))
            requeueDecoding(&actions)
        }
        requeueWhatDoesNotRun(&actions)
        switch kind {
        case .warm: letRunningFinish(within: options.graceSeconds, &actions)
        case .soft: letRunningFinish(within: options.softStopSeconds, &actions)
        case .cold:
            actions.append(.disarm(.grace))
            actions.append(.arm(.abandon, afterSeconds: life.abandonAfter(at: now.monotonic)))
            for run in inFlight.allRuns { actions.append(.kill(run, .stop)) }
        }
    }

    private mutating func letRunningFinish(within seconds: Double, _ actions: inout [EngineAction]) {
        actions.append(.arm(.grace, afterSeconds: life.grace(seconds, at: now.monotonic)))
    }

    /// Seconds for closing the links.
    var closeWithin: Double { life.closeWithin(at: now.monotonic) }

    mutating func noteStopped(_ actions: inout [EngineAction]) {
        guard inFlight.isEmpty, life.becomesStopped() else { return }
        actions.append(.disarm(.grace))
        actions.append(.disarm(.abandon))
        actions.append(.stopped)
    }

    mutating func abandon(_ actions: inout [EngineAction]) {
        guard !inFlight.isEmpty else { return }
        actions.append(.log(.abandoned(inFlight.count)))
        for item in inFlight.values { drop(item) }
        inFlight.abandonRuns()
        backlog.removeAll()
    }

    private mutating func requeueWhatDoesNotRun(_ actions: inout [EngineAction]) {
        _ = ready.removeAll()
        for name in limits.removeQueues() { actions.append(.disarm(.limit(name))) }
        suspects.forgetWaiting()
        let count = requeueNotBegun(&actions)
        for name in rates.removeAll() { actions.append(.disarm(.rate(task: name))) }
        if count > 0 { actions.append(.log(.requeued(count))) }
    }
}
