// The children of one zygote: spares kept ready, runs given to them, several at once to kept ones.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
internal import Ports
internal import TaskModel

final class ChildPool {
    /// Seconds a child may take to end after its last result.
    static let lingerSeconds = 1.0
    /// Seconds a kept child, or a spare beyond the usual number, may be idle.
    static let idleSeconds = 60.0
    /// Seconds without forks after a fork failed or children died before they could run anything.
    static let pauseSeconds = 0.5
    /// Ticks of `tidy`, some seconds, within which a child begins what it is given.
    private static let beginTicks = 20
    /// Seconds with fewer lanes after one could not be made.
    static let fewerSeconds = 30.0

    let loop: any EventLoop
    let control: ControlSocket
    let sequence: SequenceSource
    /// The zygote's pid.
    let zygote: Int32
    let log: RunnerLog
    unowned let sink: any RunSink
    let tally: ChildTally
    /// Turns the zygote's crash text into lines.
    let symbolize: ([UInt8]) -> [String]

    private var slots: Int
    private let usualSpares: Int
    let maxResidentKiB: UInt32?
    private(set) var wantedSpares: Int
    var lanes: [UInt32: Lane] = [:]
    var freeLanes: [Lane] = []
    var spares: [Child] = []
    var idleKept: [Child] = []
    var busyKept: [Child] = []
    /// Children that have given their last result.
    var leaving: [Child] = []
    private var lastLane: UInt32 = 0
    private var dirty: [Lane] = []
    private var pausedUntil: UInt64 = 0
    /// There is no room for more lanes; until when that is believed.
    private var fewerLanes: (most: Int, until: UInt64)?
    /// A kept child has given a result: it may have left processes to the zygote.
    var mayHaveOrphans = false
    var deathsInARow = 0
    var isRetiring = false
    /// The bundle is called in children that end by themselves.
    var hasLastWord = false

    init(
        loop: any EventLoop, control: ControlSocket, zygote: Int32, options: RunnerOptions, sequence: SequenceSource,
        sink: any RunSink, log: @escaping RunnerLog, symbolize: @escaping ([UInt8]) -> [String]
    ) {
        self.loop = loop
        self.control = control
        self.sequence = sequence
        self.zygote = zygote
        self.sink = sink
        tally = sink.tally
        self.log = log
        self.symbolize = symbolize
        slots = options.slots
        usualSpares = options.spares
        maxResidentKiB = options.maxResidentKiB
        wantedSpares = options.spares
    }

    var now: UInt64 { loop.clocks.monotonic.nanoseconds }

    var idleCount: Int { spares.count + idleKept.count }

    /// No run is in its hands.
    var isIdle: Bool { lanes.values.allSatisfy { $0.child?.runs.isEmpty ?? true } }

    var isEmpty: Bool { lanes.values.allSatisfy { $0.child == nil } }

    /// Gives the run to a child that is free for it now, or to one that is forked for it.
    /// - Parameter mayAddBusy: another busy child is within the slots.
    func accept(_ run: Run, mayAddBusy: Bool) -> Acceptance {
        guard !isRetiring else { return .waits }
        let keep = run.request.keep
        if mayAddBusy {
            if keep > 0, let index = idleKept.lastIndex(where: { $0.maySuit(keep: keep) }) {
                give(run, to: idleKept.remove(at: index))
                return .given
            }
            if let child = takeSpare() {
                give(run, to: child)
                orderSpares()
                return .given
            }
            // One that is idle, but kept for others, has the place that this one needs: its next turn comes soon.
            if lanes.count >= maxLanes, !idleKept.isEmpty { dismiss(idleKept.removeFirst()) }
        }
        guard keep > 1, run.pace.isShort, let child = childToPipeline(keep) else {
            return mayAddBusy ? .waits : .full
        }
        give(run, to: child)
        return .given
    }

    /// Forks until as many children are ready as wanted. Called whenever one was taken, in the same turn.
    func orderSpares() {
        guard !isRetiring, now >= pausedUntil else { return }
        while spares.count < wantedSpares, let child = forkChild() { spares.insert(child, at: 0) }
    }

    /// Writes what this turn gathered.
    func flush() {
        // Tasks before forks: a child that waits gets its task first.
        if !dirty.isEmpty {
            for lane in dirty { lane.flush() }
            dirty.removeAll(keepingCapacity: true)
        }
        control.flush()
    }

    func pauseForks(_ reason: String) {
        if now >= pausedUntil { log(.warning, reason) }
        pausedUntil = now + UInt64(Self.pauseSeconds * 1e9)
    }

    /// Fewer slots end no child that works; more get their spares as they are needed.
    func resize(slots: Int) {
        self.slots = slots
        wantedSpares = min(wantedSpares, max(slots, usualSpares))
    }

    /// Once or twice a second: what lingers is killed, what is idle for long leaves.
    func tidy() {
        for child in leaving where !child.isKilled && olderThan(Self.lingerSeconds, child.idleSince) { kill(child) }
        for child in idleKept where olderThan(Self.idleSeconds, child.idleSince) { letGo(child) }
        idleKept.removeAll { !$0.takesMore }
        if wantedSpares > usualSpares, let oldest = spares.first, olderThan(Self.idleSeconds, oldest.idleSince) {
            wantedSpares -= 1
            dismiss(spares.removeFirst())
        }
        while lanes.count > maxLanes, let lane = freeLanes.popLast() { closeLane(lane) }
        for lane in lanes.values {
            guard let child = lane.child else { continue }
            if child.isKilled {
                if olderThan(Self.killSeconds, child.killedAt) { killOurselves(child) }
            } else {
                endIfItNeverBegins(child)
            }
        }
        if mayHaveOrphans {
            mayHaveOrphans = false
            control.send(control_record(RUNNER_SWEEP))
        }
        orderSpares()
    }

    /// No new work; idle children leave.
    func retire() {
        isRetiring = true
        for child in spares { closeLane(child.lane) }
        for child in idleKept { letGo(child) }
        spares = []
        idleKept = []
        for lane in freeLanes { closeLane(lane) }
        freeLanes = []
    }

    // ---- giving ----

    private func give(_ run: Run, to child: Child) {
        run.sequence = sequence.take()
        let wasIdle = child.runs.isEmpty
        child.append(run)
        child.served += 1
        let isLast = child.served >= run.request.keep
        child.takesMore = !isLast
        run.isLast = isLast
        FrameWriter.appendTask(
            run.request, index: run.taskIndex, sequence: run.sequence, isLast: isLast,
            maxResidentKiB: maxResidentKiB ?? 0, to: &child.lane.outgoing)
        dirty.append(child.lane)
        if wasIdle {
            if !isLast { busyKept.append(child) }
            if child.pid != 0 { begin(run, child) }
        }
    }

    func begin(_ run: Run, _ child: Child) {
        run.hasBegun = true
        run.beganAt = now
        sink.began(run, pid: child.pid)
        if let reason = run.killReason { return kill(child, because: reason) }
        if run.wantsSoftStop { softStop(run) }
    }

    /// Somebody has stopped it, say, before it was given anything: nothing is charged, and the run goes to another
    /// child. Counted in our own ticks, so that a starved machine is not taken for a hung zygote.
    private func endIfItNeverBegins(_ child: Child) {
        guard child.pid > 0, let run = child.runs.first, !child.lane.page.hasBegun(run.sequence) else { return }
        run.ticksBeforeItBegan += 1
        guard run.ticksBeforeItBegan == Self.beginTicks else { return }
        log(.warning, "process \(child.pid) does not begin what it was given (stopped?): killed, another one runs it")
        kill(child)
    }

    func softStop(_ run: Run) {
        run.wantsSoftStop = true
        guard run.hasBegun, let child = run.child else { return }
        control.send(control_record(RUNNER_SOFT, lane: child.lane.number, pid: child.pid, sequence: run.sequence))
    }

    // ---- lanes and forks ----

    private func takeSpare() -> Child? {
        if !spares.isEmpty {
            // Those that are known to be forked are at the end.
            let child = spares.removeLast()
            if child.pid == 0 { raiseSpares() }
            return child
        }
        raiseSpares()
        return now >= pausedUntil ? forkChild() : nil
    }

    /// None was ready: more should be.
    private func raiseSpares() {
        if wantedSpares < max(slots, usualSpares), usualSpares > 0 { wantedSpares += 1 }
    }

    private func forkChild() -> Child? {
        guard let lane = freeLanes.popLast() ?? openLane() else { return nil }
        let child = Child(lane: lane, childPool: self)
        child.idleSince = now
        lane.child = child
        control.send(control_record(RUNNER_FORK, lane: lane.number, sequence: sequence.next))
        return child
    }

    /// Busy children, spares, and those that are about to end.
    private var maxLanes: Int {
        let usual = 3 * slots + wantedSpares + 4
        guard let fewerLanes, now < fewerLanes.until else { return usual }
        return min(usual, fewerLanes.most)
    }

    /// The system had no room for one more: we work with those there are, and try again later.
    func workWithFewerLanes(_ reason: String) {
        let most = max(1, lanes.count)
        if fewerLanes.map({ now >= $0.until || most < $0.most }) ?? true {
            log(
                .warning,
                "\(reason) Until then \(most) children at most, \(spares.count + idleKept.count) of them ready.")
        }
        fewerLanes = (most, now + UInt64(Self.fewerSeconds * 1e9))
    }

    private func openLane() -> Lane? {
        guard lanes.count < maxLanes else { return nil }
        lastLane += 1
        do throws(RunnerFailure) {
            let (lane, far) = try Lane.open(number: lastLane, loop: loop, events: self)
            lanes[lane.number] = lane
            control.send(control_record(RUNNER_LANE_OPEN, lane: lane.number), passing: far.descriptors)
            return lane
        } catch {
            workWithFewerLanes(error.description)
            return nil
        }
    }

    /// Our ends are closed now; the zygote kills who is there, if anybody.
    func closeLane(_ lane: Lane) {
        guard lanes.removeValue(forKey: lane.number) != nil else { return }
        control.send(control_record(RUNNER_LANE_CLOSE, lane: lane.number))
        lane.child = nil
        lane.close()
    }

    /// A child that has served leaves by itself where its bundle wants a last word in it; others are killed.
    func letGo(_ child: Child) {
        guard hasLastWord else { return dismiss(child) }
        child.takesMore = false
        child.idleSince = now
        leaving.append(child)
        child.lane.outgoing.append(FrameWriter.appendExit)
        dirty.append(child.lane)
    }

    private func dismiss(_ child: Child) {
        child.takesMore = false
        closeLane(child.lane)
    }

    func olderThan(_ seconds: Double, _ since: UInt64) -> Bool {
        now > since && Double(now - since) / 1e9 > seconds
    }
}
