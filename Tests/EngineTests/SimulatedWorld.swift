// A broker, a store, a runner and a clock in one thread, all driven by one seed: crash schedules by the thousand.
import CeleryWire
import Ports
import TaskModel

@testable import Engine

/// Performs the core's actions against models that delay, fail and crash, and keeps the books the tests check.
final class SimulatedWorld {
    struct Faults {
        /// Chances per event, 0…1.
        var linkLoss = 0.0
        var hostDeath = 0.0
        var storeFailure = 0.0
        var publishFailure = 0.0
        /// Of messages that are never taken, and of records that are never stored; whichever it is, it stays so.
        var refusedMessages = 0.0
        var refusedRecords = 0.0
        var confirmLost = 0.0
        var crash = 0.0
        var notStarted = 0.0
        var returned = 0.0
        var runnerFault = 0.0
        var taskFailure = 0.0
        var retry = 0.0
    }

    struct Waiting {
        var message: WireMessage
        var redelivered: Bool
        /// Starts that ended with their host, as a broker with such books counts them.
        var lostStarts = 0
        var order: UInt64
    }

    let queue = "q"
    private let makeCore: () -> EngineCore
    var core: EngineCore
    /// Grows when the host dies: what the old one had asked for is not answered.
    private(set) var host = 0
    var random: SplitMix64
    var faults: Faults
    var now: UInt64 = 1_000_000_000
    var events = SimulatedEvents()
    private var order: UInt64 = 0

    var waiting: [Waiting] = []
    var unsettled: [DeliveryTag: WireMessage] = [:]
    var starting = SimulatedStarts()
    var dead: [WireMessage] = []
    var acknowledged: [WireMessage] = []
    var link: UInt32 = 0
    var isLinkUp = false
    var lastTag: UInt64 = 0
    var credit = 0
    var consumes = true

    var results: [String: TaskState] = [:]
    var metas: [String: [UInt8]] = [:]
    var chords: [String: SimulatedChord] = [:]
    /// What tasks return; by default 1.
    var returns: (StartRequest) -> Outcome = { _ in .success(Array("1".utf8)) }
    /// Tasks that send others while they run.
    var sends: [String: [Submission]] = [:]
    var finalStates: [String: [TaskState]] = [:]
    var starts: [String: Int] = [:]
    var running: [RunID: StartRequest] = [:]
    var mostRunning = 0
    var slots = 0
    var mostInFlightAtDeaths = 0
    var timers: [TimerKey: UInt64] = [:]
    var stopped = false
    var violations: [String] = []
    var notes: [EngineNote] = []
    /// Runs from which nothing is read.
    var heldBack: Set<RunID> = []
    /// What the broker says to a publication, whenever it is tried; nil: as the chances have it.
    var refusal: (Publication) -> BrokerFailure? = { _ in nil }
    /// The same for records.
    var recordRefusal: (ResultRecord) -> StoreFailure? = { _ in nil }
    var published: [Publication] = []
    let seed: UInt64
    /// What observers got, by task id.
    var occurrences: [String: [TaskEvent]] = [:]
    var startOrder: [String] = []
    var startTimes: [UInt64] = []
    /// The model of limits shared with other worlds; nil: there is none.
    var shared: SimulatedLimits?
    /// Tasks that kill their zygote instead of ending.
    var kills: Set<String> = []
    /// Runs that have not begun can be taken back.
    var recalls = false
    var begun: Set<RunID> = []
    /// Milliseconds a task takes.
    var duration: ClosedRange<UInt64> = 3...50
    /// Milliseconds the store takes to confirm.
    var storing: ClosedRange<UInt64> = 0...20

    /// - Parameter name: begins the ids that it makes; several worlds that share something must not share ids.
    init(
        seed: UInt64, options: EngineOptions? = nil, task: TaskOptions = TaskOptions(), faults: Faults = Faults(),
        name: String = "new", keepsResults: Bool = true, joinsChords: Bool = true
    ) {
        random = SplitMix64(seed: seed)
        self.seed = seed
        self.faults = faults
        var options =
            options
            ?? EngineOptions.usual(
                slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.seed = seed
        // In every other world everything is long.
        if seed.isMultiple(of: 2) { options.longBytes = 0 }
        let manifest = TaskManifest(index: 0, name: "t", parameters: [], result: nil, options: task)
        var takesFailure = TaskOptions()
        takesFailure.takesFailure = true
        let errback = TaskManifest(index: 1, name: "errback", parameters: [], result: nil, options: takesFailure)
        let labelled = TaskManifest(
            index: 2, name: "labelled", parameters: ["id", "label"].map { .init(name: $0, type: "json") }, result: nil,
            options: takesFailure)
        let tasks = ["t": manifest, "errback": errback, "labelled": labelled]
        let chosen = options
        let numbers = Numbers(name)
        makeCore = {
            var core = EngineCore(
                options: chosen,
                catalog: EngineCore.Catalog(task: { tasks[$0] }, pipeline: { _ in PipelineRoom(behind: 0, room: 0) }),
                hasStore: true, keepsResults: keepsResults, joinsChords: joinsChords, notesTasks: false,
                makeID: numbers.next)
            core.watch(true)
            return core
        }
        core = makeCore()
        slots = core.scaling.slots
    }

    /// SIGKILL: everything in memory is gone, the broker takes back what was not settled, a new host starts.
    func killHost() {
        host += 1
        // Running, or finished but not yet settled.
        mostInFlightAtDeaths +=
            core.inFlight.values.filter {
                if case .waiting = $0.phase { return false }
                if case .ready = $0.phase { return false }
                return true
            }.count
        isLinkUp = false
        takeBack(hostIsDead: true)
        unsettled.removeAll()
        running.removeAll()
        timers.removeAll()
        credit = 0
        core = makeCore()
        core.guardStarts(by: starting.books, fencesClaims: starting.fencesClaims)
        slots = core.scaling.slots
        connect()
    }

    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }

    func after(milliseconds: ClosedRange<UInt64>, _ what: @escaping () -> Void) {
        let delay = UInt64.random(in: milliseconds, using: &random) * 1_000_000
        events.add(at: now + delay, what)
    }

    func enqueue(_ message: WireMessage, redelivered: Bool, lostStarts: Int = 0) {
        order += 1
        waiting.append(Waiting(message: message, redelivered: redelivered, lostStarts: lostStarts, order: order))
    }

    /// To the host that asked; one that has died meanwhile gets nothing.
    func post(_ event: EngineEvent, to asker: Int) {
        if asker == host { post(event) }
    }

    func post(_ event: EngineEvent) {
        var actions: [EngineAction] = []
        core.handle(event, at: clocks, into: &actions)
        for action in actions { perform(action) }
    }

    var clocks: Clocks {
        Clocks(
            monotonic: Instant(nanoseconds: now),
            wall: WallTime(microseconds: 1_800_000_000_000_000 + Int64(now / 1000)))
    }

    func connect() {
        link += 1
        isLinkUp = true
        post(.linkUp)
    }

    private func takeBack(hostIsDead: Bool = false) {
        for (tag, message) in unsettled.sorted(by: { $0.key.number < $1.key.number }) {
            enqueue(message, redelivered: true, lostStarts: starting.lost(tag, hostIsDead: hostIsDead))
        }
        starting.forgetTags()
    }

    func breakLink() {
        guard isLinkUp else { return }
        isLinkUp = false
        takeBack()
        unsettled.removeAll()
        post(.linkDown)
        let asker = host
        after(milliseconds: 1...200) { [unowned self] in if asker == host { connect() } }
    }

    /// Runs until nothing is left to happen. With `steps` it may end before; without, that is a violation.
    func run(steps: Int? = nil) {
        for _ in 0..<(steps ?? 200_000) {
            deliver()
            guard let event = events.next() else { return }
            now = max(now, event.at)
            event.what()
            if chance(faults.linkLoss) { breakLink() }
            if chance(faults.hostDeath) { killHost() }
        }
        if steps == nil { violations.append("it never becomes quiet") }
    }

    /// Stops injecting faults: what is not settled must now come to its end.
    func calm() { faults = Faults() }

    func deliver() {
        var given = 0
        while isLinkUp, consumes, unsettled.count < credit, !waiting.isEmpty {
            given += 1
            guard given < 10_000 else {
                violations.append("it is given messages and gives them back for ever")
                consumes = false
                return
            }
            let index = waiting.indices.min { left, right in
                let a = waiting[left]
                let b = waiting[right]
                let pa = a.message.properties.priority ?? 0
                let pb = b.message.properties.priority ?? 0
                return pa != pb ? pa > pb : a.order < b.order
            }!
            let next = waiting.remove(at: index)
            lastTag += 1
            let tag = DeliveryTag(link: link, number: lastTag)
            unsettled[tag] = next.message
            starting.delivered(tag, lostStarts: next.lostStarts)
            post(
                .delivered(
                    Delivery(
                        tag: tag, queue: queue, exchange: "", routingKey: queue, redelivered: next.redelivered,
                        lostStarts: starting.books == .broker ? next.lostStarts : nil, message: next.message)))
        }
    }

    private func perform(_ action: EngineAction) {
        switch action {
        case .start(let request): start(request)
        case .decode(let delivery):
            beside { [clocks] in .decoded(delivery, $0.decoder.decoded(delivery, now: clocks.wall)) }
        case .make(let job, let id): beside { _ in .made(id, job.made()) }
        case .kill(let run, let reason): kill(run, reason)
        case .store(let record, let receipt): store(record, receipt)
        case .publish(let publication, let receipt): publish(publication, receipt)
        case .acknowledge(let tag): settle(tag) { self.acknowledged.append($0) }
        case .lookUp(let id, let receipt): lookUp(id, receipt)
        case .readStarts, .recordStart, .forgetStarts, .takeBackStart: performStarts(action)
        case .reject(let tag, let requeue):
            settle(tag) { if requeue { self.enqueue($0, redelivered: true) } else { self.dead.append($0) } }
        case .setCredit(let credit, _): self.credit = credit
        case .resize(let slots): self.slots = slots
        case .consume: break
        case .arm(let key, let seconds): arm(key, seconds)
        case .disarm(let key): timers[key] = nil
        case .stopConsuming: consumes = false
        case .stopped: stopped = true
        case .announce, .addToChord, .returnPart, .keepClaim, .finishChord, .failChord: performChord(action)
        case .acquire, .renewLimits, .releaseLimit: performLimit(action)
        case .emit(let event, let task): observed(event, of: task)
        case .holdBack(let run, let isHeld): if isHeld { heldBack.insert(run) } else { heldBack.remove(run) }
        case .log(let note): notes.append(note)
        case .softStop: break
        case .recall(let run): recall(run)
        }
    }

    /// Answered in its own time, unless the host has died.
    private func beside(_ work: @escaping (EngineCore) -> EngineEvent) {
        let asker = host
        after(milliseconds: 0...20) { [unowned self] in post(work(core), to: asker) }
    }

    private func lookUp(_ id: String, _ receipt: Receipt) {
        let asker = host
        after(milliseconds: 0...20) { [unowned self] in
            post(.lookedUp(receipt, metas[id]), to: asker)
        }
    }

    private func settle(_ tag: DeliveryTag, _ then: (WireMessage) -> Void) {
        guard tag.link == link, isLinkUp else { return }
        guard let message = unsettled.removeValue(forKey: tag) else {
            violations.append("settled \(tag) twice, or never delivered")
            return
        }
        then(message)
    }

    private func arm(_ key: TimerKey, _ seconds: Double) {
        order += 1
        let token = order
        timers[key] = token
        events.add(at: now + UInt64(seconds * 1e9)) { [unowned self] in
            guard timers[key] == token else { return }
            timers[key] = nil
            post(.timer(key))
        }
    }

    private func store(_ record: ResultRecord, _ receipt: Receipt) {
        let fails = chance(faults.storeFailure)
        let refused = recordRefusal(record) ?? refusedRecord(record)
        let asker = host
        after(milliseconds: storing) { [unowned self] in
            if let refused { return post(.stored(receipt, refused), to: asker) }
            // A host that died may or may not have got its words out.
            if asker != host, chance(0.5) { return }
            if fails { return post(.stored(receipt, StoreFailure("simulated")), to: asker) }
            if results[record.taskID] != .success {
                results[record.taskID] = record.state
                metas[record.taskID] = record.meta
            }
            if record.state.isFinal { storedAt[record.taskID] = now }
            if record.state.isFinal { finalStates[record.taskID, default: []].append(record.state) }
            post(.stored(receipt, nil), to: asker)
        }
    }

    /// When a final state was stored last, in nanoseconds of `now`.
    private(set) var storedAt: [String: UInt64] = [:]

    /// For each message published: what was observed of its task last.
    var observedBeforePublishing: [String] = []

    private func publish(_ publication: Publication, _ receipt: Receipt) {
        if let id = publication.message.headers["id"]?.text { observedBeforePublishing.append(names(id).last ?? "") }
        let fails = chance(faults.publishFailure)
        let refused = refusal(publication) ?? refusedMessage(publication)
        let lost = chance(faults.confirmLost)
        let asker = host
        after(milliseconds: 0...20) { [unowned self] in
            if asker != host, chance(0.5) { return }
            if fails { return post(.published(receipt, BrokerFailure(.nacked, "simulated")), to: asker) }
            if let refused { return post(.published(receipt, refused), to: asker) }
            published.append(publication)
            switch publication.destination {
            case .deadLetters: dead.append(publication.message)
            case .queue, .exchange:
                after(milliseconds: UInt64(publication.delaySeconds * 1000)...UInt64(publication.delaySeconds * 1000)) {
                    [unowned self] in enqueue(publication.message, redelivered: false)
                }
            }
            post(.published(receipt, lost ? BrokerFailure(.closed, "confirm lost") : nil), to: asker)
        }
    }
}
