// The state machine: owns what is held, waiting, running and owed. No I/O, no clock, no thread.
//
// One event in, actions out, in the order in which they must be done. The table below is the whole of it; each row's
// function stands in the file named beside it.
import CeleryWire
import Ports
import TaskModel

struct EngineCore {
    let options: EngineOptions
    var environment: Environment
    var random: SplitMix64
    var life = Lifecycle()
    var inFlight = InFlightTasks()
    /// What the broker may deliver here.
    var intake: Intake
    /// What waits for a slot.
    var ready: ReadyQueues
    var known = KnownWork()
    var revocations = Revocations()
    var policies = Policies()
    /// What waits for its task's rate on this worker.
    var rates = RateQueues()
    /// What waits for a limit by key, on running tasks or across hosts.
    var limits = LimitQueues()
    /// Tasks that may have killed a zygote, or a host.
    var suspects = Suspects()
    var scaling: Scaling
    /// What waits to be recorded.
    var backlog = Backlog()

    init(
        options: EngineOptions, catalog: Catalog, hasStore: Bool, keepsResults: Bool, joinsChords: Bool,
        notesTasks: Bool, makeID: @escaping () -> String
    ) {
        self.options = options
        environment = Environment(
            catalog: catalog,
            decoder: MessageDecoder(
                accept: options.acceptContent, limits: options.wireLimits, formats: options.formats),
            hasStore: hasStore, keepsResults: keepsResults, joinsChords: joinsChords, notesTasks: notesTasks,
            makeID: makeID)
        intake = Intake(options)
        ready = ReadyQueues(options.queues, lowestFirst: options.lowestPriorityFirst)
        scaling = Scaling(options)
        random = SplitMix64(seed: options.seed)
    }

    mutating func handle(_ event: EngineEvent, at clocks: Clocks, into actions: inout [EngineAction]) {
        environment.advance(to: clocks)
        switch event {
        // take
        case .linkUp: linkUp(&actions)  // EngineCore+Link
        case .linkDown: linkDown(&actions)  // EngineCore+Link
        case .consumerLost(let queue): consumerLost(queue, &actions)  // EngineCore+Link
        case .holdsTooMuch(let queue, let credit): share(queue, keeping: credit, &actions)  // EngineCore+Pause
        // decode, admit
        case .delivered(let delivery): take(delivery, &actions)  // EngineCore+Decode
        case .decoded(let delivery, let message): decoded(delivery, message, &actions)  // EngineCore+Decode
        case .lookedUp(let receipt, let document): lookedUp(receipt, document, &actions)  // EngineCore+Redelivery
        case .startsRead(let id, let lost): startsRead(id, lost, &actions)  // EngineCore+Starts
        case .timer(.due(let id)): becameDue(id, &actions)  // EngineCore+Admit
        case .catalogChanged(let active):
            policies.catalogChanged()
            if active { redispatchRefused(&actions) }  // EngineCore+Run
        // run
        case .startRecorded(let id): startRecorded(id, &actions)  // EngineCore+Starts
        case .began(let run, let pid): began(run, pid: pid, &actions)  // EngineCore+Run
        case .stateChanged(let run, let state, let meta): stateChanged(run, state, meta, &actions)  // EngineCore+State
        case .timer(.softLimit(let run)): softLimitReached(run, &actions)  // EngineCore+Run
        case .timer(.hardLimit(let run)): hardLimitReached(run, &actions)  // EngineCore+Run
        case .timer(.redispatch(let id)): redispatch(id, &actions)  // EngineCore+Run
        // judge, record
        case .finished(let run, let report): finished(run, report, &actions)  // TaskRun
        case .returned(let run): returned(run, &actions)  // EngineCore+Run
        case .stored(let receipt, let failure): stored(receipt, failure, &actions)  // EngineCore+Record
        case .published(let receipt, let failure): published(receipt, failure, &actions)  // EngineCore+Record
        case .claimLost(let id): claimLost(id, &actions)  // EngineCore+Claims
        case .timer(.step(let id)): tryStepAgain(id, &actions)  // EngineCore+Record
        case .storeUp:
            backlog.storeUp()
            retryBacklog(&actions)  // EngineCore+Record
        case .storeDown(let reason): backlog.storeDown(reason)
        // follow
        case .made(let id, let sequel): made(id, sequel, &actions)  // EngineCore+Sequel
        case .sent(let run, let submission): sent(run, submission, &actions)  // EngineCore+Send
        case .timer(.sending(let id, let number)): sendAgain(id, number, &actions)  // EngineCore+Send
        case .chordKept(let receipt, let failure): chordKept(receipt, failure, &actions)  // EngineCore+Record
        case .partReturned(let receipt, let answer): partReturned(receipt, answer, &actions)  // EngineCore+Chord
        case .claimKept(let receipt, let answer): claimKept(receipt, answer, &actions)  // EngineCore+Chord
        // credit, stop
        case .timer(.credit): lookAtRate(&actions)  // EngineCore+Link
        case .stop(let kind): stop(kind, &actions)  // EngineCore+Stop
        case .timer(.grace): stop(.cold, &actions)
        case .timer(.abandon): abandon(&actions)  // EngineCore+Stop
        // scale: EngineCore+Scale
        case .changeSlots(let change): changeSlots(by: change, &actions)
        case .setAutoscale(let range): setAutoscale(range, &actions)
        case .timer(.scale): scaleDown(&actions)
        // control: EngineCore+Control
        case .revoke(let ids, let signal): revoke(ids, terminate: signal, &actions)
        case .keepRevoked(let id, let until):
            revocations.keep(id, forSeconds: until.seconds(since: now.wall), at: now.monotonic)
        case .revokeStamps(let stamps, let signal): revoke(stamps: stamps, terminate: signal, &actions)
        case .setRate(let rate, let task): setRate(rate, task: task, &actions)
        case .timer(.rate(let task)): admitWaiting(task, &actions)
        // limits: EngineCore+Limit
        case .limitAnswered(let id, let claim, let answer): limitAnswered(id, claim, answer, &actions)
        case .limitsRenewed(let since): limits.renewed(since: since)
        case .timer(.limit(let name)): retryLimitQueue(name, &actions)
        case .timer(.renewLimits): renewLimits(&actions)
        case .setTimeLimits(let soft, let hard, let task):
            policies.setTimeLimits(soft: soft, hard: hard, task: task)
        case .addQueue(let queue): addQueue(queue, &actions)
        case .cancelQueue(let name): cancelQueue(name, &actions)
        case .pauseQueue(let name): pauseQueue(name, &actions)  // EngineCore+Pause
        case .resumeQueue(let name): resumeQueue(name, &actions)  // EngineCore+Pause
        }
        startReady(&actions)
        askForFreeSlots(&actions)
        lookForRoom(&actions)
        if life.stopping != nil { noteStopped(&actions) }
    }

    func note(_ actions: inout [EngineAction], _ note: @autoclosure () -> EngineNote) {
        if notesTasks { actions.append(.log(note())) }
    }

    /// nil: no bundle has such a task. Its manifest, which is large, is looked at once for each change of the catalog.
    mutating func policy(for name: String) -> TaskPolicy? {
        policies.known(name) ?? catalog.task(name).map { policy(for: name, manifest: $0) }
    }

    mutating func policy(for name: String, manifest: TaskManifest) -> TaskPolicy {
        policies.policy(for: name, manifest: manifest, options)
    }
}

/// Small, seedable, good enough for jitter (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
