// The state machine: owns what is held, waiting, running and owed. No I/O, no clock, no thread.
//
// One event in, actions out, in the order in which they must be done. The table below is the whole of it; each row's
// function stands in the file named beside it.
import CeleryWire
import Ports
import TaskModel

struct EngineCore {
    /// Where the core looks things up; pure answers for the duration of one event.
    struct Catalog {
        var task: (String) -> TaskManifest?
        var lookAhead: (TaskManifest) -> Int
    }

    let options: EngineOptions
    let catalog: Catalog
    let decoder: MessageDecoder
    /// Whether lines about single tasks are wanted: making them costs more than running a small task.
    let notesTasks: Bool
    /// Whether anybody is to be told what happens to tasks.
    var isWatched = false
    var hasStore: Bool
    /// Whether what is stored can be read again, by anybody.
    let keepsResults: Bool
    /// Whether the store counts the parts of chords.
    let joinsChords: Bool
    /// Names what is published here.
    let makeID: () -> String

    /// Tasks run at a time now.
    var slots: Int
    var scaling: Scaling?
    var held: [HeldID: Held] = [:]
    var runs: [RunID: Held] = [:]
    /// Called while the task that failed is being recorded.
    var errbacks: [RunID: ErrbackCall] = [:]
    var ready: ReadyQueues
    /// Each keeps a slot until the store has answered.
    var asking: Set<HeldID> = []
    var known = KnownWork()
    var credit: Credit
    /// Held until due, by queue.
    var waiting: [String: Int] = [:]
    var policies: [String: TaskPolicy] = [:]
    /// Consumed now.
    var queues: [QueuePreference]
    /// Of these nothing is taken for now.
    var paused: Set<String> = []
    var revocations = Revocations()
    /// Buckets, by task; made when first needed.
    var rateLimits: [String: RateLimit] = [:]
    /// Who waits for a limit by key, on running tasks or across hosts, by what is limited.
    var lines: [String: LimitLine] = [:]
    var limitBook = LimitBook()
    /// How many they are, and the credit they are given for it, by queue.
    var inLine: [String: Int] = [:]
    var beyondCredit: [String: Int] = [:]
    /// Places that other hosts wait for as well.
    var lent: [HeldID: LimitClaim] = [:]
    /// What was set while we run, by task; wins over manifest and configuration.
    var rates: [String: Double?] = [:]
    var timeLimits: [String: (soft: Double?, hard: Double?)] = [:]
    /// Starts so far, by the name shown.
    var received: [String: Int] = [:]
    /// The same by queue.
    var startsByQueue: [String: Int] = [:]
    var random: SplitMix64

    var isLinkUp = false
    var stopping: StopKind?
    /// When what runs is ended by force.
    var stopBy: Instant?
    var saidStopped = false
    var lastHeld: UInt64 = 0
    var lastRun: UInt64 = 0
    var lastTick: Instant?

    /// Set for the duration of one event.
    var now = Clocks(monotonic: Instant(nanoseconds: 0), wall: WallTime(microseconds: 0))

    init(
        options: EngineOptions, catalog: Catalog, hasStore: Bool, keepsResults: Bool, joinsChords: Bool,
        notesTasks: Bool, makeID: @escaping () -> String
    ) {
        self.options = options
        self.catalog = catalog
        self.hasStore = hasStore
        self.keepsResults = keepsResults
        self.joinsChords = joinsChords
        self.makeID = makeID
        self.notesTasks = notesTasks
        decoder = MessageDecoder(
            accept: options.acceptContent, limits: options.wireLimits, formats: options.formats)
        queues = options.queues
        ready = ReadyQueues(options.queues, lowestFirst: options.lowestPriorityFirst)
        credit = Credit(options: options)
        slots = options.slots
        scaling = options.autoscale.map { Scaling(range: $0) }
        random = SplitMix64(seed: options.seed)
    }

    mutating func handle(_ event: EngineEvent, at clocks: Clocks, into actions: inout [EngineAction]) {
        now = clocks
        switch event {
        // take
        case .linkUp: linkUp(&actions)  // EngineCore+Link
        case .linkDown: linkDown(&actions)  // EngineCore+Link
        case .consumerLost(let queue): consumerLost(queue, &actions)  // EngineCore+Link
        // decode, admit
        case .delivered(let delivery): take(delivery, &actions)  // EngineCore+Admit
        case .lookedUp(let receipt, let document): lookedUp(receipt, document, &actions)  // EngineCore+Redelivery
        case .timer(.due(let id)): becameDue(id, &actions)  // EngineCore+Admit
        case .catalogChanged: policies.removeAll()
        // run
        case .began(let run, let pid): began(run, pid: pid, &actions)  // EngineCore+Run
        case .stateChanged(let run, let state, let meta): stateChanged(run, state, meta, &actions)  // EngineCore+State
        case .timer(.softLimit(let run)): softLimitReached(run, &actions)  // EngineCore+Run
        case .timer(.hardLimit(let run)): hardLimitReached(run, &actions)  // EngineCore+Run
        case .timer(.again(let id)): handOverAgain(id, &actions)  // EngineCore+Run
        // judge, record
        case .finished(let run, let report): finished(run, report, &actions)  // EngineCore+Judge
        case .stored(let receipt, let failure): stored(receipt, failure, &actions)  // EngineCore+Record
        case .published(let receipt, let failure): published(receipt, failure, &actions)  // EngineCore+Record
        case .timer(.step(let id)): tryStepAgain(id, &actions)  // EngineCore+Record
        // follow
        case .sent(let run, let submission): sent(run, submission, &actions)  // EngineCore+Send
        case .timer(.sending(let id)): sendAgain(id, &actions)  // EngineCore+Send
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
        case .revokeStamps(let stamps, let signal): revoke(stamps: stamps, terminate: signal, &actions)
        case .setRate(let rate, let task): setRate(rate, task: task, &actions)
        case .timer(.rate(let task)): admitWaiting(task, &actions)
        // limits: EngineCore+Limit
        case .limitAnswered(let id, let claim, let answer): limitAnswered(id, claim, answer, &actions)
        case .limitsRenewed(let since): limitsRenewed(since: since)
        case .timer(.limit(let name)): tryLineAgain(name, &actions)
        case .timer(.renewLimits): renewLimits(&actions)
        case .setTimeLimits(let soft, let hard, let task): setTimeLimits(soft: soft, hard: hard, task: task)
        case .addQueue(let queue): addQueue(queue, &actions)
        case .cancelQueue(let name): cancelQueue(name, &actions)
        case .pauseQueue(let name): pauseQueue(name, &actions)  // EngineCore+Pause
        case .resumeQueue(let name): resumeQueue(name, &actions)  // EngineCore+Pause
        }
        startReady(&actions)
        if stopping != nil { noteStopped(&actions) }
    }

    /// By arrival: the same events lead to the same actions.
    var heldInOrder: [Held] { held.values.sorted { $0.id.number < $1.id.number } }

    func note(_ actions: inout [EngineAction], _ note: @autoclosure () -> EngineNote) {
        if notesTasks { actions.append(.log(note())) }
    }

    mutating func policy(for name: String, manifest: TaskManifest) -> TaskPolicy {
        if let known = policies[name] { return known }
        var policy = TaskPolicy(
            manifest: manifest.options, override: options.overrides[name], defaults: options.defaults)
        if let limits = timeLimits[name] { (policy.softLimit, policy.hardLimit) = limits }
        if let rate = rates[name] { policy.rate = rate }
        policies[name] = policy
        return policy
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
