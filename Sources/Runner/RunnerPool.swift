// The Swift face of taskhost-runner: bundles in, runs in, reports out.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
public import Ports
public import TaskModel

/// Runs tasks of the bundles in the plugins folders, each bundle version in a zygote of its own.
///
/// Makes the process a subreaper (leftovers of a dead zygote become its children) and raises its limit of open
/// files as far as its slots need it. `close` before letting go. The thread that calls it must outlive the zygotes:
/// they die with the thread that started them.
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
    var directory: RunDirectory?
    var folders: [PluginFolder] = []
    /// Gone from their folders, and serving until another bundle does.
    var lingering: [BundleFile] = []
    var folderReports: [String: BundleReport] = [:]
    var copies: UInt64 = 0

    private let sequence = SequenceSource()
    private var runs: [RunID: Run] = [:]
    /// Without a child, in order.
    private var waiting: [Run] = []
    /// Over before they had a child; reported at the end of the turn.
    private var undone: [(Run, RunReport)] = []
    private var paces: [String: TaskPace] = [:]
    private var busy = 0
    private var forks = 0
    private var mayDispatch = false
    private var housekeeping: (any LoopTimer)?
    private let memory: MemoryWatch

    private static let housekeepingSeconds = 0.5

    /// Throws when not even an empty pool can work: no runner program, no folder for private copies.
    public init(
        loop: any EventLoop, options: RunnerOptions, log: @escaping (_ level: Int, _ line: String) -> Void
    ) throws(RunnerFailure) {
        self.loop = loop
        self.options = options
        self.log = log
        memory = MemoryWatch(loop: loop)
        guard access(options.runnerPath, X_OK) == 0 else {
            throw RunnerFailure(
                "the runner \(options.runnerPath) cannot be started: \(errorText(errno))."
                    + " Install taskhost whole (make install), or name it in TASKHOST_RUNNER.")
        }
        directory = try RunDirectory(in: options.temporaryFolder)
        makeRoomForFiles()
        _ = clinux_set_subreaper(true)
        loop.atTurnEnd { [weak self] in self?.turnEnded() }
    }

    // ---- Runner ----

    public func connect(events: any RunnerEvents) {
        self.events = events
        openFolders()
        rescan()
        keepHouse()
    }

    public func task(named name: String) -> TaskManifest? { catalog[name]?.task }

    public func start(_ request: StartRequest) {
        guard let entry = catalog[request.taskName] else {
            let run = Run(request, task: Self.unknown(request.taskName), pace: TaskPace())
            return giveUp(run, .runnerFault("no bundle offers \(request.taskName) any more"))
        }
        let run = Run(request, task: entry.task, pace: pace(of: request.taskName))
        guard FrameWriter.taskLength(request) <= RUNNER_FRAME_MAX, !isClosing else {
            return giveUp(run, isClosing ? .notStarted : Self.tooLarge)
        }
        runs[request.run] = run
        waiting.append(run)
        mayDispatch = true
    }

    public func lookAhead(for task: TaskManifest) -> Int {
        guard let pace = paces[task.name], pace.isShort else { return 0 }
        return Crew.lookAheadPerChild * options.slots
    }

    public func resize(slots: Int) {
        options.slots = max(1, slots)
        makeRoomForFiles()
        for zygote in live { zygote.crew.resize(slots: options.slots) }
        mayDispatch = true
    }

    public func softStop(_ run: RunID) {
        guard let run = runs[run] else { return }
        run.wantsSoftStop = true
        run.child?.crew?.softStop(run)
    }

    public func kill(_ run: RunID, because reason: KillReason) {
        guard let run = runs[run] else { return }
        run.killReason = reason
        if let child = run.child {
            // Behind another run of its child it dies when its turn comes.
            if run.hasBegun { child.crew?.kill(child) }
        } else if let index = waiting.firstIndex(where: { $0 === run }) {
            waiting.remove(at: index)
            giveUp(run, run.killedOutcome ?? .notStarted)
        }
    }

    /// Children at work, those that are ready or kept for the next task, and all that were ever forked.
    public var figures: (busy: Int, ready: Int, forks: Int) {
        (busy, live.reduce(0) { $0 + $1.crew.idleCount }, forks)
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
            for (run, report) in over { finished(run, report) }
            if mayDispatch { dispatch() }
        }
        for zygote in live { zygote.flush() }
    }

    private func dispatch() {
        mayDispatch = false
        guard !waiting.isEmpty else { return }
        var rest: [Run] = []
        for run in waiting where !handOver(run) { rest.append(run) }
        waiting = rest
    }

    /// False: it has to wait.
    private func handOver(_ run: Run) -> Bool {
        guard let entry = catalog[run.request.taskName] else {
            giveUp(run, .runnerFault("no bundle offers \(run.request.taskName) any more"))
            return true
        }
        if let reason = entry.file.pauseReason {
            giveUp(run, .runnerFault(reason))
            return true
        }
        guard let zygote = entry.file.active else { return false }
        run.task = entry.task
        return zygote.crew.accept(run, mayAddBusy: busy < options.slots)
    }

    func giveUp(_ run: Run, _ outcome: Outcome) {
        runs[run.request.run] = run
        undone.append((run, RunReport(outcome: outcome)))
    }

    func giveUpWaiting() {
        for run in waiting { giveUp(run, .notStarted) }
        waiting = []
    }

    func newZygote(_ copy: PrivateCopy, owner: any ZygoteOwner) throws(RunnerFailure) -> Zygote {
        try Zygote(copy, options: options, loop: loop, sequence: sequence, sink: self, owner: owner, log: log)
    }

    private func pace(of name: String) -> TaskPace {
        if let known = paces[name] { return known }
        let pace = TaskPace()
        paces[name] = pace
        return pace
    }

    private func makeRoomForFiles() {
        // Two per lane, a few per zygote, and room for everybody else.
        let wanted = UInt64(options.slots) * 12 + 4096
        let limit = clinux_raise_descriptor_limit(wanted)
        if limit >= 0, limit < Int64(options.slots * 12 + 256) {
            log(2, "only \(limit) files may be open; \(options.slots) slots need more: ulimit -n, LimitNOFILE=")
        }
    }

    private func keepHouse() {
        housekeeping = loop.schedule(afterSeconds: Self.housekeepingSeconds) { [weak self] in
            guard let self, !isClosing else { return }
            for zygote in live where zygote.phase == .ready || zygote.phase == .retiring { zygote.crew.tidy() }
            mayDispatch = true
            keepHouse()
        }
    }

    private static func unknown(_ name: String) -> TaskManifest {
        TaskManifest(index: 0, name: name, parameters: [], result: nil, options: TaskOptions())
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

    func said(_ run: Run, level: Int?, line: String) { events?.said(run.request.run, level: level, line: line) }

    func finished(_ run: Run, _ report: RunReport) {
        runs.removeValue(forKey: run.request.run)
        memory.end(run)
        events?.finished(run.request.run, report)
    }

    func busyChildren(changedBy change: Int) { busy += change }

    func forked() { forks += 1 }

    func capacityFreed() { mayDispatch = true }
}
