// The part of the model world that runs tasks, and what it never takes.
import Ports
import TaskModel

@testable import Engine

extension SimulatedWorld {
    func start(_ request: StartRequest) {
        let asker = host
        if chance(faults.notStarted) {
            return after(milliseconds: 0...5) { [unowned self] in
                post(.finished(request.run, RunReport(outcome: .notStarted)), to: asker)
            }
        }
        if chance(faults.runnerFault) {
            return after(milliseconds: 0...5) { [unowned self] in
                post(.finished(request.run, RunReport(outcome: .runnerFault("simulated"))), to: asker)
            }
        }
        if request.mayReturn, faults.returned > 0, chance(faults.returned) {
            return after(milliseconds: 0...5) { [unowned self] in post(.returned(request.run), to: asker) }
        }
        running[request.run] = request
        if let tag = core.inFlight[run: request.run]?.tag { starting.started(tag) }
        mostRunning = max(mostRunning, running.count)
        // The runner keeps errbacks waiting that find no slot; this one does not.
        let tasks = running.keys.filter { core.inFlight.errback($0) == nil }
        if tasks.count > slots { violations.append("\(tasks.count) run in \(slots) slots") }
        starts[request.id, default: 0] += 1
        startOrder.append(request.id)
        startTimes.append(now)
        after(milliseconds: 0...2) { [unowned self] in
            guard asker == host, running[request.run] != nil else { return }
            begun.insert(request.run)
            post(.began(request.run, pid: 1))
            for submission in sends[request.id] ?? [] { post(.sent(request.run, submission)) }
        }
        let outcome: Outcome =
            if chance(faults.crash) {
                .died(Death(cause: .signal(11)))
            } else if chance(faults.taskFailure) {
                .failure(TaskFailure(type: "ValueError", module: "builtins", arguments: Array("[]".utf8)))
            } else if chance(faults.retry) {
                .retry(RetryRequest(countdown: 0.05))
            } else {
                returns(request)
            }
        after(milliseconds: duration) { [unowned self] in
            guard asker == host, running[request.run] != nil else { return }
            if kills.contains(request.id) { return zygoteDies(under: request) }
            if starting.hostKillers.contains(request.id) { return killHost() }
            running[request.run] = nil
            post(.finished(request.run, RunReport(outcome: outcome)))
        }
    }

    func recall(_ run: RunID) {
        let asker = host
        guard recalls else { return }
        after(milliseconds: 0...2) { [unowned self] in
            guard asker == host, running[run]?.mayReturn == true, !begun.contains(run),
                let request = running.removeValue(forKey: run)
            else { return }
            starts[request.id, default: 0] -= 1
            post(.returned(run))
        }
    }

    func kill(_ run: RunID, _ reason: KillReason) {
        let asker = host
        after(milliseconds: 0...2) { [unowned self] in
            guard asker == host, running.removeValue(forKey: run) != nil else { return }
            let outcome: Outcome =
                switch reason {
                case .hardLimit(let seconds): .hardLimit(seconds)
                case .terminate(let signal): .terminated(signal: signal)
                case .stop: .terminated(signal: 9)
                }
            post(.finished(run, RunReport(outcome: outcome)))
        }
    }

    // ---- what is refused for good ----

    /// Not so for dead letters: nothing else holds these.
    func refusedMessage(_ publication: Publication) -> BrokerFailure? {
        if case .deadLetters = publication.destination { return nil }
        let id = publication.message.headers["id"]?.text ?? ""
        return isChosen(id, faults.refusedMessages) ? BrokerFailure(.notFound, "simulated for ever") : nil
    }

    /// A success, say because it is too large; a failure is small.
    func refusedRecord(_ record: ResultRecord) -> StoreFailure? {
        guard record.state == .success, isChosen(record.taskID, faults.refusedRecords) else { return nil }
        return StoreFailure("simulated for ever", .unfit)
    }

    private func isChosen(_ id: String, _ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        var draw = SplitMix64(seed: id.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
        return Double.random(in: 0..<1, using: &draw) < probability
    }
}
