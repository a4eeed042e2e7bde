// The driver: gives the core its events and does what it wants done. Lives on the loop's thread.
import CeleryWire
public import Logging
public import Ports
public import TaskModel

/// A worker: takes messages from a broker, has them run, records what came of them.
public final class Engine {
    let loop: any EventLoop
    let broker: any Broker
    let store: (any ResultStore)?
    let revocationMarks: RevocationMarks?
    private(set) lazy var revokedSearch = RevokedSearch(self)
    /// The same, if it joins chords: the core asks for nothing of the kind without it.
    let chords: (any ChordStore)?
    let limits: (any SharedLimits)?
    let runner: any Runner
    let log: Logger
    let options: EngineOptions
    var core: EngineCore
    private var timers: [TimerKey: any LoopTimer] = [:]

    private var observers: [any EngineObserver] = []

    /// First starts of this loop iteration: recorded together at its end, and not waited for.
    var firstStarts: [DeliveryTag] = []

    var stall: StallWatch
    var stallTimer: (any LoopTimer)?

    /// Rate limits set while it runs, as they were written.
    var rateTexts: [String: String] = [:]
    private var events: [EngineEvent] = []
    private var actions: [EngineAction] = []
    private var isHandling = false
    private var isConsuming = false
    private var reportedLosses = RepeatedReason()
    private var wasConnected = false
    private var (reportedBlocks, reportedStoreLosses) = (ReportedOutage(), ReportedOutage())
    /// The folders have been looked at once.
    private var hasLooked = false
    private var lacksBundles = false

    /// Bundles are loaded, queues are consumed: called once.
    public var onReady: () -> Void = {}
    /// Bundles came, went or are refused.
    public var onCatalog: () -> Void = {}
    /// What became of a bundle.
    public var onBundle: (BundleReport) -> Void = { _ in }
    /// The broker is there, for the first time or again.
    public var onLinkUp: () -> Void = {}
    /// Remote control asks for a warm stop: the owner of the engine has more to end than the engine.
    public var onShutDown: () -> Void = {}
    /// Nothing is in flight any more; the links are closed next: called once, after `stop`.
    public var onClosing: () -> Void = {}
    /// Nothing is in flight any more and all links are closed: called once, after `stop`.
    public var onStopped: () -> Void = {}
    /// What is to outlive a restart has changed; called before the command that changed it is answered.
    public var onMemoryChange: () -> Void = {}
    /// Writes it, and calls back once it is written as it is now, or cannot be.
    public var keeper: (@escaping () -> Void) -> Void = { $0() }
    var reportedRevocations = 0
    var reportedPaused: Set<String> = []
    /// Every bundle was refused; nothing has been taken from the broker, and nothing will be.
    public var onNoBundle: ([BundleReport]) -> Void = { _ in }
    /// What was published or stored is confirmed; with the seconds it took.
    public var onConfirmed: ((Confirmation, Double) -> Void)?
    /// The broker will not work like this; the host should leave.
    public var onFatal: (BrokerFailure) -> Void = { _ in }

    public init(
        options: EngineOptions, loop: any EventLoop, broker: any Broker, store: (any ResultStore)?,
        runner: any Runner, limits: (any SharedLimits)? = nil, log: Logger
    ) {
        self.options = options
        self.loop = loop
        self.broker = broker
        self.store = store
        revocationMarks = store.map {
            RevocationMarks(store: $0, loop: loop, log: log, expires: options.resultExpiresSeconds)
        }
        chords = store as? any ChordStore
        stall = StallWatch(judge: StallJudge(patience: options.stallSeconds))
        self.runner = runner
        self.limits = limits
        self.log = log
        core = EngineCore(
            options: options,
            catalog: EngineCore.Catalog(
                task: { runner.task(named: $0) }, pipeline: { runner.pipeline(for: $0) },
                nearest: { name in
                    let manifests = runner.bundles.filter { $0.status == .active }.compactMap(\.manifest)
                    return NearestName.ofTask(name, among: manifests.flatMap { $0.tasks.map(\.name) })
                }),
            hasStore: store != nil, keepsResults: store?.keepsResults ?? false,
            joinsChords: store is any ChordStore, notesTasks: log.logLevel <= .info,
            makeID: TaskCall.newID)
    }

    /// Loads the bundles; consuming begins when each of them is either loaded or refused.
    public func start() {
        beginCountingStarts()
        store?.connect(events: self)
        runner.connect(events: self)
        hasLooked = true
        consumeWhenLoaded()
    }

    /// From now on it gets what happens to tasks. Kept until it is removed, or the engine is gone.
    public func add(observer: any EngineObserver) {
        observers.append(observer)
        core.watch(true)
    }

    public func remove(observer: any EngineObserver) {
        observers.removeAll { $0 === observer }
        core.watch(!observers.isEmpty)
    }

    public func stop(_ kind: StopKind) { handle(.stop(kind)) }

    /// How it stops; nil: it does not. A warm or soft stop becomes a cold one when its time is over.
    public var stopping: StopKind? { core.life.stopping }

    /// What is left for closing links after everything is settled, or given up: seconds.
    public var closeWithin: Double { core.closeWithin }

    /// Whether a child works on a task, or on an errback.
    public var runsTasks: Bool { !core.inFlight.runsNothing }

    /// Looks at the plugins folders again.
    public func reload() { runner.rescan() }

    func consumeWhenLoaded() {
        let bundles = runner.bundles
        guard hasLooked, !isConsuming, !lacksBundles, core.life.stopping == nil,
            !bundles.contains(where: { $0.status == .loading })
        else { return }
        // Without any bundle every message would be refused as unregistered.
        if !bundles.isEmpty, !bundles.contains(where: { $0.status == .active }) {
            lacksBundles = true
            return onNoBundle(bundles)
        }
        isConsuming = true
        broker.consume(options.queues.map(\.declaration))
        broker.connect(events: self)
    }

    /// Events that come while one is handled (from a store that answers at once, say) are handled after it.
    func handle(_ event: EngineEvent) {
        guard !isHandling else { return events.append(event) }
        isHandling = true
        // Most come alone: they need no place in the list, which would cost a copy or two of each.
        takeMeasured(event)
        var next = 0
        while next < events.count {
            takeMeasured(events[next])
            next += 1
        }
        events.removeAll(keepingCapacity: true)
        isHandling = false
        reportMemory()
    }

    private func takeMeasured(_ event: EngineEvent) {
        if let what = event.heavyWork {
            loop.measured(what) { take(event) }
        } else {
            take(event)
        }
    }

    private func take(_ event: EngineEvent) {
        core.handle(event, at: loop.clocks, into: &actions)
        perform()
    }

    private func perform() {
        var wanted: [EngineAction] = []
        swap(&wanted, &actions)
        for action in wanted { perform(action) }
        if actions.isEmpty {
            wanted.removeAll(keepingCapacity: true)
            swap(&wanted, &actions)
        }
    }

    private func perform(_ action: EngineAction) {
        switch action {
        case .start(let request):
            noteStart(request.run)
            runner.start(request)
        case .decode(let delivery): decode(delivery)
        case .make(let job, let id): make(job, id)
        case .readStarts, .recordStart, .forgetStarts, .takeBackStart: performStarts(action)
        case .softStop(let run): runner.softStop(run)
        case .recall(let run): runner.recall(run)
        case .holdBack(let run, let isHeld): runner.holdBack(run, isHeld)
        case .kill(let run, let reason): runner.kill(run, because: reason)
        case .store(let record, let receipt):
            guard let store else { return handle(.stored(receipt, nil)) }
            let since = loop.clocks.monotonic
            claimed(receipt) { [self] _ in
                store.store(record) { [unowned self] failure in
                    confirmed(.store, since: since, failure == nil)
                    handle(.stored(receipt, failure))
                }
            }
        case .lookUp(let id, let receipt): lookUp(id, receipt)
        case .publish(let publication, let receipt):
            let since = loop.clocks.monotonic
            claimed(receipt) { [self] claim in
                var publication = publication
                publication.claim = claim
                broker.publish(publication) { [unowned self] failure in
                    confirmed(.publish, since: since, failure == nil)
                    if failure?.code == .claimLost { return handle(.claimLost(receipt.task)) }
                    handle(.published(receipt, failure))
                }
            }
        case .announce(_, let receipt), .addToChord(_, let receipt), .returnPart(_, let receipt),
            .keepClaim(_, let receipt), .finishChord(_, let receipt), .failChord(_, let receipt):
            claimed(receipt) { [self] _ in performChord(action) }
        case .acquire, .renewLimits, .releaseLimit: performLimit(action)
        case .acknowledge(let tag): broker.acknowledge(tag)
        case .reject(let tag, let requeue): broker.reject(tag, requeue: requeue)
        case .consume(let queues): broker.consume(queues)
        case .setCredit(let credit, let queue): broker.setCredit(credit, queue: queue)
        case .resize(let slots): runner.resize(slots: slots)
        case .arm(let key, let seconds):
            timers.removeValue(forKey: key)?.cancel()
            timers[key] = loop.schedule(afterSeconds: seconds) { [unowned self] in
                timers[key] = nil
                handle(.timer(key))
            }
        case .disarm(let key): timers.removeValue(forKey: key)?.cancel()
        case .stopConsuming: broker.stopConsuming {}
        case .stopped: close()
        case .emit(let event, let task):
            for observer in observers { observer.observed(event, of: task) }
        case .log(let note): log.log(level: note.level, "\(note.text)", metadata: note.metadata)
        }
    }

    /// Links are closed in the order in which they still need each other: the broker's acks first, the children last.
    private func close() {
        stallTimer?.cancel()
        revocationMarks?.close()
        for timer in timers.values { timer.cancel() }
        timers.removeAll()
        onClosing()
        var isOver = false
        let end = { [self] in
            guard !isOver else { return }
            isOver = true
            onStopped()
        }
        // A link that does not end must not keep us beyond the time of the stop. Children end with their zygotes, and
        // these with us.
        _ = loop.schedule(afterSeconds: core.closeWithin) { [self] in
            if !isOver { log.warning("leaving before all links are closed: a broker or store does not answer") }
            end()
        }
        broker.close { [self] in
            let closeRunner = { [self] in
                runner.close { [self] in
                    if let limits { limits.close(done: end) } else { end() }
                }
            }
            if let store { store.close(done: closeRunner) } else { closeRunner() }
        }
    }
}

extension Engine: BrokerEvents {
    public func linkUp() {
        log.info("\(wasConnected ? "Reconnected" : "Connected") to \(broker.description)")
        wasConnected = true
        reportedLosses.forget()
        handle(.linkUp)
        onLinkUp()
        onReady()
        onReady = {}
        if stallTimer == nil { watchForStalls() }
    }

    public func linkDown(reason: String, retryInSeconds: Double) {
        if reportedLosses.isWorthReporting(reason, at: loop.clocks.monotonic) {
            let place = broker.description
            let what = wasConnected ? "Connection to \(place) lost" : "Cannot reach \(place) yet"
            let why = reason.hasPrefix(place + ": ") ? String(reason.dropFirst(place.count + 2)) : reason
            log.warning("\(what): \(why). \(Self.nextAttempt(in: retryInSeconds)).")
        }
        handle(.linkDown)
    }

    public func delivered(_ delivery: Delivery) {
        countDelivery()
        handle(.delivered(delivery))
    }

    public func mayTake(bodyBytes: Int) -> Bool { core.mayHold(bodyBytes: bodyBytes) }

    public func blocked(_ reason: String?) {
        if let reason {
            guard reportedBlocks.begins(reason, at: loop.clocks.monotonic) else { return }
            log.warning("The broker takes no messages at present (\(reason)); results and retries wait")
        } else if reportedBlocks.ends() {
            log.info("The broker takes messages again")
        }
    }

    public func consumerCancelled(queue: String) {
        log.warning("The broker cancelled the consumer of queue \(queue); recreating it")
        handle(.consumerLost(queue: queue))
    }

    public func holdsTooMuch(queue: String, credit: Int) { handle(.holdsTooMuch(queue: queue, credit: credit)) }

    public func fatal(_ failure: BrokerFailure) {
        log.error("\(failure)")
        onFatal(failure)
    }

    /// Without a queue of its own the host is not what it was started as; without one that was added by remote
    /// control it is.
    public func refused(queue: String, _ failure: BrokerFailure) {
        guard !options.queues.contains(where: { $0.declaration.name == queue }) else { return fatal(failure) }
        log.error("queue \(queue) is not consumed: \(failure)")
        handle(.cancelQueue(queue))
    }
}

extension Engine: ResultStoreEvents {
    public func storeUp() {
        if reportedStoreLosses.ends() { log.info("Results go to \(store?.description ?? "nowhere")") }
        handle(.storeUp)
    }

    public func storeDown(reason: String, retryInSeconds: Double) {
        handle(.storeDown(reason: reason))
        guard reportedStoreLosses.begins(reason, at: loop.clocks.monotonic) else { return }
        log.warning("Result store unreachable: \(reason). \(Self.nextAttempt(in: retryInSeconds)); results wait.")
    }

    private static func nextAttempt(in seconds: Double) -> String {
        seconds.isFinite ? "Trying again in \(seconds.brief) s" : "It is not tried again"
    }
}
