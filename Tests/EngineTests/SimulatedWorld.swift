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
        var confirmLost = 0.0
        var crash = 0.0
        var notStarted = 0.0
        var runnerFault = 0.0
        var taskFailure = 0.0
        var retry = 0.0
    }

    struct Waiting {
        var message: WireMessage
        var redelivered: Bool
        var order: UInt64
    }

    let queue = "q"
    private let makeCore: () -> EngineCore
    var core: EngineCore
    /// Grows when the host dies: what the old one had asked for is answered to nobody.
    private(set) var host = 0
    var random: SplitMix64
    var faults: Faults
    var now: UInt64 = 1_000_000_000
    var events: [(at: UInt64, order: UInt64, what: () -> Void)] = []
    private var order: UInt64 = 0

    var waiting: [Waiting] = []
    var unsettled: [DeliveryTag: WireMessage] = [:]
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
    /// As the core has told the runner.
    var slots = 0
    var mostInFlightAtDeaths = 0
    var timers: [TimerKey: UInt64] = [:]
    var stopped = false
    var violations: [String] = []
    /// What observers were told, by task id.
    var occurrences: [String: [TaskOccurrence]] = [:]
    var startOrder: [String] = []
    var startTimes: [UInt64] = []
    /// The model of limits shared with other worlds; nil: there is none.
    var shared: SimulatedLimits?
    /// Milliseconds a task takes.
    var duration: ClosedRange<UInt64> = 3...50

    /// - Parameter name: begins the ids that it makes; several worlds that share something must not share ids.
    init(
        seed: UInt64, options: EngineOptions? = nil, task: TaskOptions = TaskOptions(), faults: Faults = Faults(),
        name: String = "new", keepsResults: Bool = true
    ) {
        random = SplitMix64(seed: seed)
        self.faults = faults
        var options =
            options
            ?? EngineOptions(
                slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.seed = seed
        let manifest = TaskManifest(index: 0, name: "t", parameters: [], result: nil, options: task)
        var takesFailure = TaskOptions()
        takesFailure.takesFailure = true
        let errback = TaskManifest(index: 1, name: "errback", parameters: [], result: nil, options: takesFailure)
        let tasks = ["t": manifest, "errback": errback]
        let chosen = options
        let numbers = Numbers(name)
        makeCore = {
            var core = EngineCore(
                options: chosen,
                catalog: EngineCore.Catalog(task: { tasks[$0] }, lookAhead: { _ in 0 }),
                hasStore: true, keepsResults: keepsResults, joinsChords: true, notesTasks: false, makeID: numbers.next)
            core.isWatched = true
            return core
        }
        core = makeCore()
        slots = core.slots
    }

    /// The broker is killed and comes back without the acknowledgements it had not written yet: all of them.
    func killBroker() {
        for message in acknowledged { enqueue(message, redelivered: true) }
        acknowledged.removeAll()
        breakLink()
    }

    /// SIGKILL: everything in memory is gone, the broker takes back what was not settled, a new host starts.
    func killHost() {
        host += 1
        // Running, or finished but not yet settled.
        mostInFlightAtDeaths +=
            core.held.values.filter {
                if case .waiting = $0.phase { return false }
                if case .ready = $0.phase { return false }
                return true
            }.count
        isLinkUp = false
        takeBack()
        unsettled.removeAll()
        running.removeAll()
        timers.removeAll()
        credit = 0
        core = makeCore()
        slots = core.slots
        connect()
    }

    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }

    func after(milliseconds: ClosedRange<UInt64>, _ what: @escaping () -> Void) {
        order += 1
        let delay = UInt64.random(in: milliseconds, using: &random) * 1_000_000
        events.append((now + delay, order, what))
    }

    func send(_ id: String, headers: FieldTable = [:], priority: UInt8 = 0, body: String = "[[],{},{}]") {
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.priority = priority
        var all: FieldTable = ["task": .string("t"), "id": .string(id)]
        for field in headers.fields { all[field.key] = field.value }
        enqueue(WireMessage(properties: properties, headers: all, body: Array(body.utf8)), redelivered: false)
    }

    func enqueue(_ message: WireMessage, redelivered: Bool) {
        order += 1
        waiting.append(Waiting(message: message, redelivered: redelivered, order: order))
    }

    /// To the host that asked; one that has died meanwhile hears nothing.
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

    private func takeBack() {
        for (_, message) in unsettled.sorted(by: { $0.key.number < $1.key.number }) {
            enqueue(message, redelivered: true)
        }
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
            guard
                let index = events.indices.min(by: {
                    (events[$0].at, events[$0].order) < (events[$1].at, events[$1].order)
                })
            else { return }
            let event = events.remove(at: index)
            now = max(now, event.at)
            event.what()
            if chance(faults.linkLoss) { breakLink() }
            if chance(faults.hostDeath) { killHost() }
        }
        if steps == nil { violations.append("it never becomes quiet") }
    }

    /// Stops injecting faults: what is owed must now come to its end.
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
            post(
                .delivered(
                    Delivery(
                        tag: tag, queue: queue, exchange: "", routingKey: queue, redelivered: next.redelivered,
                        message: next.message)))
        }
    }

    private func perform(_ action: EngineAction) {
        switch action {
        case .start(let request): start(request)
        case .kill(let run, let reason): kill(run, reason)
        case .store(let record, let receipt): store(record, receipt)
        case .publish(let publication, let receipt): publish(publication, receipt)
        case .acknowledge(let tag): settle(tag) { self.acknowledged.append($0) }
        case .lookUp(let id, let receipt): lookUp(id, receipt)
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
        case .tell(let occurrence, let task): told(occurrence, of: task)
        case .softStop, .log: break
        }
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
        events.append(
            (
                now + UInt64(seconds * 1e9), order,
                { [unowned self] in
                    guard timers[key] == token else { return }
                    timers[key] = nil
                    post(.timer(key))
                }
            ))
    }

    private func store(_ record: ResultRecord, _ receipt: Receipt) {
        let fails = chance(faults.storeFailure)
        let asker = host
        after(milliseconds: 0...20) { [unowned self] in
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

    /// For each message published: what was told of its task last.
    var toldBeforePublishing: [String] = []

    private func publish(_ publication: Publication, _ receipt: Receipt) {
        if let id = publication.message.headers["id"]?.text { toldBeforePublishing.append(names(id).last ?? "") }
        let fails = chance(faults.publishFailure)
        let lost = chance(faults.confirmLost)
        let asker = host
        after(milliseconds: 0...20) { [unowned self] in
            if asker != host, chance(0.5) { return }
            if fails { return post(.published(receipt, BrokerFailure(.nacked, "simulated")), to: asker) }
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

    private func start(_ request: StartRequest) {
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
        running[request.run] = request
        mostRunning = max(mostRunning, running.count)
        // The runner keeps errbacks waiting that find no slot; this one does not.
        let tasks = running.keys.filter { core.errbacks[$0] == nil }
        if tasks.count > slots { violations.append("\(tasks.count) run in \(slots) slots") }
        starts[request.id, default: 0] += 1
        startOrder.append(request.id)
        startTimes.append(now)
        after(milliseconds: 0...2) { [unowned self] in
            guard asker == host, running[request.run] != nil else { return }
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
            guard asker == host, running.removeValue(forKey: request.run) != nil else { return }
            post(.finished(request.run, RunReport(outcome: outcome)))
        }
    }

    private func kill(_ run: RunID, _ reason: KillReason) {
        let asker = host
        after(milliseconds: 0...2) { [unowned self] in
            guard asker == host, running.removeValue(forKey: run) != nil else { return }
            let outcome: Outcome =
                switch reason {
                case .hardLimit(let seconds): .hardLimit(seconds)
                case .terminate(let signal): .terminated(signal: signal)
                }
            post(.finished(run, RunReport(outcome: outcome)))
        }
    }
}
