// Sequels: the steps that follow from an outcome are made at once, or, if that takes long, beside the loop.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    var maker: StepMaker {
        StepMaker(
            routes: options.routes, formats: options.formats, etaHoldSeconds: options.etaHoldSeconds,
            queues: intake.queues, joinsChords: joinsChords, keepsResults: keepsResults)
    }

    func job(_ kind: SequelJob.Kind, _ item: InFlight) -> SequelJob {
        let storing =
            hasStore && !item.ignoresResult
            ? SequelJob.Storing(extended: extended(item), expiresAfterSeconds: options.resultExpiresSeconds) : nil
        return SequelJob(
            kind: kind, message: item.message, terms: terms(of: item), maker: maker, storing: storing,
            madeIDs: item.madeIDs)
    }

    /// What a task that ended well is followed by, and its result.
    mutating func follow(
        _ kind: SequelJob.Kind, _ event: TaskEvent, _ report: RunReport, of item: InFlight,
        _ actions: inout [EngineAction]
    ) {
        let job = job(kind, item)
        let use = SequelUse.outcome(event, report)
        if job.weight > options.longBytes {
            record(item, [.make(job, use)], &actions)
        } else {
            take(job.made(), use, of: item, &actions)
        }
    }

    /// The steps that call the body of a chord, or fail it; or the one that makes them.
    func bodySteps(
        _ group: String, _ body: JSON, _ parts: [[UInt8]], _ claim: ChordClaim?, _ item: InFlight
    ) -> [Step] {
        let job = job(.chordBody(body, parts: parts, claim: claim), item)
        if job.weight > options.longBytes { return [.make(job, .chord(group, body, claim))] }
        return bodySteps(job.made(), group, body, claim, item)
    }

    private func bodySteps(
        _ made: Result<Sequel, SequelFailure>, _ group: String, _ body: JSON, _ claim: ChordClaim?, _ item: InFlight
    ) -> [Step] {
        switch made {
        case .success(let sequel):
            item.madeIDs = sequel.madeIDs
            return sequel.steps
        case .failure(.chord(let reason, let failure)):
            return chordErrorSteps(group, body, reason, failure, claim, item)
        case .failure(.canvas(let error)):
            return chordErrorSteps(group, body, "Callback error: \(error)", nil, claim, item)
        }
    }

    mutating func made(_ id: InFlightID, _ made: Result<Sequel, SequelFailure>, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], case .make(_, let use)? = item.settling?.steps.first else {
            return
        }
        take(made, use, of: item, &actions)
    }

    private mutating func take(
        _ made: Result<Sequel, SequelFailure>, _ use: SequelUse, of item: InFlight, _ actions: inout [EngineAction]
    ) {
        switch (use, made) {
        case (.chord(let group, let body, let claim), _):
            replaceStep(item, by: bodySteps(made, group, body, claim, item), &actions)
        case (.outcome(let event, _), .success(let sequel)):
            item.madeIDs = sequel.madeIDs
            if let read = sequel.continuations { item.continuations = read }
            emitWhenSettled(event, of: item)
            record(item, sequel.steps + [.acknowledge], &actions)
        case (.outcome(_, let report), .failure(.canvas(let error))):
            // What follows cannot be called: then the task has failed.
            judge(.fail(TaskFailure(error), Settlement(ofFailed: item)), on: report, of: item, &actions)
        case (.outcome(_, let report), .failure(.chord(let reason, _))):
            judge(
                .fail(TaskFailure(CanvasError(reason)), Settlement(ofFailed: item)), on: report, of: item, &actions)
        }
    }
}
