// The Swift face of taskhost-runner: bundles in, runs in, reports out.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
public import Ports
public import TaskModel

/// Runs tasks of the bundles in the plugins folders, each bundle version in a zygote of its own.
///
/// Makes the process a subreaper (leftovers of a dead zygote become its children) and raises its limit of open
/// files as far as its slots need it. `close` before letting go.
public final class RunnerPool: Runner {
    let loop: any EventLoop
    private(set) var options: RunnerOptions
    let log: RunnerLog

    unowned var events: (any RunnerEvents)?
    var files: [String: BundleFile] = [:]
    var live: [Zygote] = []
    var catalog = Catalog()
    var isClosing = false
    var closed: (() -> Void)?
    var folders: [PluginFolder] = []
    /// Gone from their folders, and serving until another bundle does.
    var lingering: [BundleFile] = []
    var folderReports: [String: BundleReport] = [:]

    private let sequence = SequenceSource()
    private(set) var runs: [RunID: Run] = [:]
    /// Without a child, in order.
    var waiting: [Run] = []
    /// Over before they had a child; reported at the end of the turn. Without a report: returned.
    var undone: [(Run, RunReport?)] = []
    let tally = ChildTally()
    private var forks = 0
    var mayDispatch = false
    var behindWatch: (any LoopTimer)?
    private var housekeeping: (any LoopTimer)?
    private let memory: MemoryWatch
    /// For the first zygote of its bundle.
    private let early: EarlyZygote?

    private static let housekeepingSeconds = 0.5

    /// Throws when not even an empty pool can work: no runner program, no room for a child's descriptors.
    /// - Parameter early: loads one of `options.bundles` already; it is told now what its environment lacked.
    public init(
        loop: any EventLoop, options: RunnerOptions, early: EarlyZygote? = nil,
        log: @escaping (_ level: LogLevel, _ line: String) -> Void
    ) throws(RunnerFailure) {
        self.loop = loop
        self.options = options
        self.early = early
        self.log = log
        _ = clinux_set_subreaper(true)  // before a bundle goes on, which may leave us a process
        if let early, let bundle = options.bundles.first(where: { $0.path == early.path }) {
            early.complete(bundle.environment)
        }
        memory = MemoryWatch(loop: loop)
        guard access(options.runnerPath, X_OK) == 0 else {
            throw RunnerFailure(
                "the runner \(options.runnerPath) cannot be started: \(errorText(errno))."
                    + " Install taskhost whole (make install), or name it in TASKHOST_RUNNER.")
        }
        try makeRoomForFiles()
        loop.atTurnEnd { [weak self] in self?.turnEnded() }
    }

    // ---- Runner ----

    public func connect(events: any RunnerEvents) {
        self.events = events
        openFolders()
        look()
        keepHouse()
    }

    public func task(named name: String) -> TaskManifest? { catalog[name]?.task }

    public func start(_ request: StartRequest) {
        guard let entry = catalog[request.taskName] else {
            let run = Run(request, pace: TaskPace())
            return giveUp(run, .runnerFault("no bundle offers \(request.taskName) any more"))
        }
        let run = Run(request, pace: entry.pace)
        guard FrameWriter.taskLength(request) <= RUNNER_FRAME_MAX, !isClosing else {
            return giveUp(run, isClosing ? .notStarted : Self.tooLarge)
        }
        runs[request.run] = run
        waiting.append(run)
        mayDispatch = true
    }

    public func resize(slots: Int) {
        options.slots = max(1, slots)
        do throws(RunnerFailure) {
            try makeRoomForFiles()
        } catch {
            log(.warning, error.description)
        }
        for zygote in live { zygote.childPool.resize(slots: options.slots) }
        mayDispatch = true
    }

    public func softStop(_ run: RunID) {
        guard let run = runs[run] else { return }
        run.wantsSoftStop = true
        run.child?.childPool?.softStop(run)
    }

    public func holdBack(_ run: RunID, _ isHeld: Bool) {
        guard let run = runs[run], run.hasBegun else { return }
        run.child?.lane.isHeldBack = isHeld
    }

    public func kill(_ run: RunID, because reason: KillReason) {
        guard let run = runs[run] else { return }
        run.killReason = reason
        if let child = run.child {
            if run.hasBegun { return child.childPool?.kill(child, because: reason) ?? () }
            // Behind another run. What its child has claimed meanwhile dies when its turn comes.
            if takeBack(run, from: child) { giveUp(run, run.killedOutcome ?? .notStarted) }
        } else if let index = waiting.firstIndex(where: { $0 === run }) {
            waiting.remove(at: index)
            giveUp(run, run.killedOutcome ?? .notStarted)
        }
    }

    /// Children at work, those that are ready or kept for the next task, and all that were ever forked.
    public var figures: (busy: Int, ready: Int, forks: Int) {
        (tally.busy, live.reduce(0) { $0 + $1.childPool.idleCount }, forks)
    }

    public func close(done: @escaping () -> Void) {
        closed = done
        beginClosing()
    }

    // ---- work ----

    private func turnEnded() {
        // A report may bring a new start, and a start a report; what comes of that in the end waits for a turn.
        for _ in 0..<8 where mayDispatch || !undone.isEmpty {
            let over = undone
            undone = []
            for (run, report) in over {
                if let report { finished(run, report) } else { returned(run) }
            }
            if mayDispatch { dispatch() }
        }
        for zygote in live { zygote.flush() }
    }

    private func dispatch() {
        mayDispatch = false
        guard !waiting.isEmpty else { return }
        // A run that begins is told at once, and what is told may bring further starts, kills and recalls.
        let now = waiting
        waiting = []
        var rest: [Run] = []
        for run in now {
            if run.isRecalled {
                undone.append((run, nil))
            } else if let killed = run.killedOutcome {
                giveUp(run, killed)
            } else {
                switch handOver(run) {
                case .given: break
                case .full where run.request.mayReturn: undone.append((run, nil))
                case .full, .waits: rest.append(run)
                }
            }
        }
        waiting = rest + waiting
        watchBehind()
    }

    private func handOver(_ run: Run) -> Acceptance {
        guard let entry = catalog[run.request.taskName] else {
            giveUp(run, .runnerFault("no bundle offers \(run.request.taskName) any more"))
            return .given
        }
        if let reason = entry.file.pauseReason {
            giveUp(run, .runnerFault(reason))
            return .given
        }
        run.taskIndex = entry.task.index
        if run.request.alone {
            guard let lone = entry.file.loneZygote() else { return .waits }
            // It may have loaded what others of its version have not: an app whose files have changed since.
            guard let own = lone.manifest?.tasks.first(where: { $0.name == run.request.taskName }) else {
                let name = run.request.taskName
                giveUp(run, .runnerFault("what \(entry.file.path) loads has changed, and has no \(name) now"))
                return .given
            }
            run.taskIndex = own.index
            return lone.childPool.accept(run, mayAddBusy: tally.busy < options.slots)
        }
        if let canary = entry.file.canary(for: run) {
            run.taskIndex = canary.task.index
            let acceptance = canary.zygote.childPool.accept(run, mayAddBusy: tally.busy < options.slots)
            if case .given = acceptance { entry.file.canaryTook(run) }
            if canary.isOnlyOne { return acceptance }
            if case .given = acceptance { return .given }
            run.taskIndex = entry.task.index
        }
        guard let zygote = entry.file.active else { return .waits }
        run.trial = entry.file.watchNumber
        return zygote.childPool.accept(run, mayAddBusy: tally.busy < options.slots)
    }

    func giveUp(_ run: Run, _ outcome: Outcome) {
        runs[run.request.run] = run
        undone.append((run, RunReport(outcome: outcome)))
    }

    func giveUpWaiting() {
        for run in waiting { giveUp(run, .notStarted) }
        waiting = []
    }

    func newZygote(
        _ copy: PrivateCopy, owner: any ZygoteOwner, spares: Int?
    ) throws(RunnerFailure) -> Zygote {
        var options = options
        if let spares { options.spares = spares }
        return try Zygote(
            copy, options: options, loop: loop, sequence: sequence, sink: self, owner: owner,
            early: early.flatMap { $0.take(for: copy) ? $0 : nil }, log: log)
    }

    /// Tasks that run at the same time: fewer than asked for where the limit of open files is too low.
    public var slots: Int { options.slots }

    private func makeRoomForFiles() throws(RunnerFailure) {
        // Two per lane, a few per zygote, and room for everybody else.
        let limit = clinux_raise_descriptor_limit(UInt64(options.slots) * 12 + 4096)
        guard limit >= 0 else { return }
        let room = DescriptorRoom.slots(within: Int(limit))
        guard room >= 1 else {
            throw RunnerFailure(
                "only \(limit) files may be open, which is not enough for a single task."
                    + " Raise the limit to \(DescriptorRoom.minimum) or more (ulimit -Hn, LimitNOFILE=).")
        }
        guard room < options.slots else { return }
        log(
            .warning,
            "only \(limit) files may be open: \(room) slots instead of \(options.slots)."
                + " Raise the limit (ulimit -Hn, LimitNOFILE=) or lower --concurrency.")
        options.slots = room
    }

    private func keepHouse() {
        housekeeping = loop.schedule(afterSeconds: Self.housekeepingSeconds) { [weak self] in
            guard let self, !isClosing else { return }
            for zygote in live { zygote.tidy() }
            for file in files.values { file.tidy() }
            mayDispatch = true
            keepHouse()
        }
    }

    private static let tooLarge = Outcome.failure(
        TaskFailure(
            type: "ValueError", module: "builtins",
            arguments: Array("[\"the message is larger than \(RUNNER_FRAME_MAX) bytes\"]".utf8)))
}

extension RunnerPool: RunSink {
    func began(_ run: Run, pid: Int32) {
        memory.begin(run)
        events?.began(run.request.run, pid: pid)
    }

    func sent(_ run: Run, _ submission: Submission) { events?.sent(run.request.run, submission) }

    func stateChanged(_ run: Run, state: String, meta: [UInt8]) {
        events?.stateChanged(run.request.run, state: state, meta: meta)
    }

    func said(_ run: Run, level: LogLevel?, line: String) { events?.said(run.request.run, level: level, line: line) }

    func finished(_ run: Run, _ report: RunReport) {
        runs.removeValue(forKey: run.request.run)
        memory.end(run)
        if run.hasBegun { noteEnd(of: run, report.outcome) }
        events?.finished(run.request.run, report)
    }

    /// For the comparison of versions: BundleFile+Trial.
    private func noteEnd(of run: Run, _ outcome: Outcome) {
        var hasCrashed = false
        if case .died(let death) = outcome {
            // That of the zygote is counted by itself.
            if case .zygoteLost = death.cause { return }
            hasCrashed = true
        }
        if run.trial == 0 { return run.pace.ended(hasCrashed: hasCrashed) }
        catalog[run.request.taskName]?.file.ended(run, hasCrashed: hasCrashed)
    }

    /// All of it is with the engine again.
    private func returned(_ run: Run) {
        runs.removeValue(forKey: run.request.run)
        events?.returned(run.request.run)
    }

    func forked() { forks += 1 }

    func capacityFreed() { mayDispatch = true }
}
