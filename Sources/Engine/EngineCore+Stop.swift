import Ports
// Stopping: what runs may finish, what does not run goes back uncharged, nothing is forgotten on the way.
import TaskModel

extension EngineCore {
    /// A cold stop that is still not over after so many seconds is ended: the broker delivers again what we held.
    private static let abandonSeconds = 5.0

    mutating func stop(_ kind: StopKind, _ actions: inout [EngineAction]) {
        if stopping == nil {
            actions.append(.stopConsuming)
            actions.append(.disarm(.credit))
            actions.append(.disarm(.scale))
        }
        if let stopping, kind <= stopping { return }
        stopping = kind
        giveBackWhatDoesNotRun(&actions)
        switch kind {
        case .warm: letRunningFinish(within: options.graceSeconds, &actions)
        case .soft: letRunningFinish(within: options.softStopSeconds, &actions)
        case .cold:
            actions.append(.disarm(.grace))
            actions.append(.arm(.abandon, afterSeconds: Self.abandonSeconds))
            for run in (Array(runs.keys) + Array(errbacks.keys)).sorted(by: { $0.number < $1.number }) {
                actions.append(.kill(run, .terminate(signal: 9)))
            }
        }
    }

    /// A harder stop never leaves them more time than the one before it had.
    private mutating func letRunningFinish(within seconds: Double, _ actions: inout [EngineAction]) {
        let deadline = min(now.monotonic.advanced(bySeconds: seconds), stopBy ?? Instant(nanoseconds: .max))
        stopBy = deadline
        actions.append(.arm(.grace, afterSeconds: max(0, deadline.seconds(since: now.monotonic))))
    }

    mutating func noteStopped(_ actions: inout [EngineAction]) {
        guard held.isEmpty, !saidStopped else { return }
        saidStopped = true
        actions.append(.disarm(.grace))
        actions.append(.disarm(.abandon))
        actions.append(.stopped)
    }

    mutating func abandon(_ actions: inout [EngineAction]) {
        guard !held.isEmpty else { return }
        actions.append(.log(.abandoned(held.count)))
        held.removeAll()
        runs.removeAll()
        errbacks.removeAll()
        asking.removeAll()
    }

    private mutating func giveBackWhatDoesNotRun(_ actions: inout [EngineAction]) {
        _ = ready.removeAll()
        for name in lines.keys { actions.append(.disarm(.limit(name))) }
        lines.removeAll()
        var count = 0
        for item in heldInOrder {
            switch item.phase {
            case .waiting, .limited, .ready, .asking:
                actions.append(.disarm(.due(item.id)))
                actions.append(.disarm(.again(item.id)))
                giveBack(item, &actions)
                count += 1
            case .handed, .running, .recording:
                break
            }
        }
        waiting.removeAll()
        for name in rateLimits.keys { actions.append(.disarm(.rate(task: name))) }
        rateLimits.removeAll()
        if count > 0 { actions.append(.log(.givenBack(count))) }
    }
}
