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
    /// The same, if it joins chords: the core asks for nothing of the kind without it.
    let chords: (any ChordStore)?
    let limits: (any SharedLimits)?
    let runner: any Runner
    let log: Logger
    let options: EngineOptions
    var core: EngineCore
    private var timers: [TimerKey: any LoopTimer] = [:]

    private var observers: [any EngineObserver] = []

    var stall: StallWatch
    var stallTimer: (any LoopTimer)?

    /// Rate limits set while it runs, as they were written.
    var rateTexts: [String: String] = [:]
    private var events: [EngineEvent] = []
    private var actions: [EngineAction] = []
    private var isHandling = false
    private var isConsuming = false
    /// The folders have been looked at once.
    private var hasLooked = false
    private var lacksBundles = false

    /// Bundles are loaded, queues are consumed: called once.
    public var onReady: () -> Void = {}
    /// Bundles came, went or are refused.
    public var onCatalog: () -> Void = {}
    /// The broker is there, for the first time or again.
    public var onLinkUp: () -> Void = {}
    /// Remote control asks for a warm stop: it is for whoever runs the engine, who has more to end.
    public var onShutDown: () -> Void = {}
    /// Nothing is held any more; the links are closed next: called once, after `stop`.
    public var onClosing: () -> Void = {}
    /// Nothing is held any more and all links are closed: called once, after `stop`.
    public var onStopped: () -> Void = {}
    /// What is to outlive a restart has changed; called before who changed it is answered.
    public var onMemoryChange: () -> Void = {}
    var toldRevocations = 0
    var toldPaused: Set<String> = []
    /// Every bundle was refused; nothing has been taken from the broker, and nothing will be.
    public var onNoBundle: ([BundleReport]) -> Void = { _ in }
    /// What was published or stored is confirmed, after so many seconds.
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
        chords = store as? any ChordStore
        stall = StallWatch(judge: StallJudge(patience: options.stallSeconds))
        self.runner = runner
        self.limits = limits
        self.log = log
        core = EngineCore(
            options: options,
            catalog: EngineCore.Catalog(
                task: { runner.task(named: $0) }, lookAhead: { runner.lookAhead(for: $0) }),
            hasStore: store != nil, keepsResults: store?.keepsResults ?? false,
            joinsChords: store is any ChordStore, notesTasks: log.logLevel <= .info,
            makeID: TaskCall.newID)
    }

    /// Loads the bundles; consuming begins when each of them is either loaded or refused.
    public func start() {
        store?.connect(events: self)
        runner.connect(events: self)
        hasLooked = true
        consumeWhenLoaded()
    }

    /// From now on it is told what happens to tasks. Kept until it is removed, or the engine is gone.
    public func add(observer: any EngineObserver) {
        observers.append(observer)
        core.isWatched = true
    }

    public func remove(observer: any EngineObserver) {
        observers.removeAll { $0 === observer }
        core.isWatched = !observers.isEmpty
    }

    public func stop(_ kind: StopKind) { handle(.stop(kind)) }

    /// How it stops; nil: it does not. A warm or soft stop becomes a cold one when its time is over.
    public var stopping: StopKind? { core.stopping }

    /// Whether a child works on a task, or on an errback.
    public var runsTasks: Bool { !core.runs.isEmpty || !core.errbacks.isEmpty }

    /// Looks at the plugins folders again.
    public func reload() { runner.rescan() }

    private func consumeWhenLoaded() {
        let bundles = runner.bundles
        guard hasLooked, !isConsuming, !lacksBundles, core.stopping == nil,
            !bundles.contains(where: { $0.status == .loading })
        else { return }
        // Whoever can run nothing would refuse every message as unregistered.
        if !bundles.isEmpty, !bundles.contains(where: { $0.status == .active }) {
            lacksBundles = true
            return onNoBundle(bundles)
        }
        isConsuming = true
        broker.consume(options.queues.map(\.declaration))
        broker.connect(events: self)
    }

    /// Events that come while one is handled (a store that answers at once, say) wait their turn.
    func handle(_ event: EngineEvent) {
        events.append(event)
        guard !isHandling else { return }
        isHandling = true
        var next = 0
        while next < events.count {
            core.handle(events[next], at: loop.clocks, into: &actions)
            next += 1
            perform()
        }
        events.removeAll(keepingCapacity: true)
        isHandling = false
        tellMemory()
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
        case .start(let request): runner.start(request)
        case .softStop(let run): runner.softStop(run)
        case .kill(let run, let reason): runner.kill(run, because: reason)
        case .store(let record, let receipt):
            guard let store else { return handle(.stored(receipt, nil)) }
            let since = loop.clocks.monotonic
            store.store(record) { [unowned self] failure in
                confirmed(.store, since: since, failure == nil)
                handle(.stored(receipt, failure))
            }
        case .lookUp(let id, let receipt): lookUp(id, receipt)
        case .publish(let publication, let receipt):
            let since = loop.clocks.monotonic
            broker.publish(publication) { [unowned self] failure in
                confirmed(.publish, since: since, failure == nil)
                handle(.published(receipt, failure))
            }
        case .announce, .addToChord, .returnPart, .keepClaim, .finishChord, .failChord: performChord(action)
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
        case .tell(let occurrence, let task):
            for observer in observers { observer.observed(occurrence, of: task) }
        case .log(let note): log.log(level: note.level, "\(note.text)", metadata: note.metadata)
        }
    }

    /// A store that cannot tell makes the task run: twice is better than never.
    private func lookUp(_ id: String, _ receipt: Receipt) {
        guard let store else { return handle(.lookedUp(receipt, nil)) }
        store.fetch(id) { [unowned self] answer in
            var document: [UInt8]?
            do {
                document = try answer.get()
            } catch {
                log.warning("Could not look up the result of \(id): \(error)")
            }
            handle(.lookedUp(receipt, document))
        }
    }

    /// Links are closed in the order of who still owes whom: the broker's acks first, the children last.
    private func close() {
        stallTimer?.cancel()
        for timer in timers.values { timer.cancel() }
        timers.removeAll()
        onClosing()
        broker.close { [self] in
            let closeRunner = { [self] in
                runner.close { [self] in
                    if let limits { limits.close { [self] in onStopped() } } else { onStopped() }
                }
            }
            if let store { store.close(done: closeRunner) } else { closeRunner() }
        }
    }
}

extension Engine: BrokerEvents {
    public func linkUp() {
        log.info("Connected to \(broker.description)")
        handle(.linkUp)
        onLinkUp()
        onReady()
        onReady = {}
        if stallTimer == nil { watchForStalls() }
    }

    public func linkDown(reason: String, retryInSeconds: Double) {
        log.warning("Connection to \(broker.description) lost: \(reason). Trying again in \(retryInSeconds.brief) s.")
        handle(.linkDown)
    }

    public func delivered(_ delivery: Delivery) {
        countDelivery()
        handle(.delivered(delivery))
    }

    public func blocked(_ reason: String?) {
        if let reason {
            log.warning("The broker takes no messages at present (\(reason)); results and retries wait")
        } else {
            log.info("The broker takes messages again")
        }
    }

    public func consumerCancelled(queue: String) {
        log.warning("The broker ended our consumption of queue \(queue) (deleted or moved); consuming it anew")
        handle(.consumerLost(queue: queue))
    }

    public func fatal(_ failure: BrokerFailure) {
        log.error("\(failure)")
        onFatal(failure)
    }

    /// Without a queue of its own the host is not what it was started as; without one that somebody named by remote
    /// control it is.
    public func refused(queue: String, _ failure: BrokerFailure) {
        guard !options.queues.contains(where: { $0.declaration.name == queue }) else { return fatal(failure) }
        log.error("queue \(queue) is not consumed: \(failure)")
        handle(.cancelQueue(queue))
    }
}

extension Engine: ResultStoreEvents {
    public func storeUp() { log.info("Results go to \(store?.description ?? "nowhere")") }

    public func storeDown(reason: String, retryInSeconds: Double) {
        log.warning("Result store unreachable: \(reason). Trying again in \(retryInSeconds.brief) s; results wait.")
    }
}

extension Engine: RunnerEvents {
    public func began(_ run: RunID, pid: Int32) { handle(.began(run, pid: pid)) }

    public func stateChanged(_ run: RunID, state: String, meta: [UInt8]) {
        handle(.stateChanged(run, state: state, meta: meta))
    }

    /// Characters kept for whoever looks at the running task.
    private static let longestLastLine = 200

    public func said(_ run: RunID, level: Int?, line: String) {
        let item = core.runs[run]
        item?.lastLine = String(line.prefix(Self.longestLastLine))
        let message = item?.message
        let errback = core.errbacks[run]?.errback
        let source: Logger.Metadata = [
            "task_id": "\(message?.id ?? errback?.id ?? run.description)",
            "task": "\(message?.name ?? errback?.task ?? "")",
        ]
        switch level {
        case nil, 1: log.info("\(line)", metadata: source)
        case 0: log.debug("\(line)", metadata: source)
        case 2: log.warning("\(line)", metadata: source)
        default: log.error("\(line)", metadata: source)
        }
    }

    public func sent(_ run: RunID, _ submission: Submission) { handle(.sent(run, submission)) }

    public func finished(_ run: RunID, _ report: RunReport) { handle(.finished(run, report)) }

    private func checkRate(_ task: TaskManifest) {
        do throws(ControlRefusal) {
            _ = try RateLimit.parse(task.options.rateLimit)
        } catch {
            log.error(
                "Task \(task.name) runs without its rate limit '\(task.options.rateLimit ?? "")': write \"10/m\", say")
        }
    }

    public func catalogChanged(_ report: BundleReport) {
        switch report.status {
        case .loading: log.debug("Loading \(report.path)")
        case .active:
            let names = report.manifest?.tasks.map(\.name).joined(separator: ", ") ?? ""
            log.info("Bundle \(report.manifest?.name ?? "?") \(report.manifest?.version ?? "") loaded: \(names)")
            for task in report.manifest?.tasks ?? [] {
                checkRate(task)
                checkScope(task)
            }
        case .draining: log.info("A newer version replaces \(report.path); the old one finishes what it runs")
        case .refused(let reason): log.error("Bundle refused: \(reason)")
        case .gone: log.info("Bundle \(report.path) is gone")
        }
        handle(.catalogChanged)
        consumeWhenLoaded()
        onCatalog()
    }
}
