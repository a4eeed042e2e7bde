// The children of one zygote: spares kept ready, runs given to them, several at once to kept ones.

internal import CRunnerProtocol
internal import Ports
internal import TaskModel

final class Crew {
    /// Short tasks given to one kept child beyond the one it works on.
    static let lookAheadPerChild = 3
    /// Seconds a child may take to end after its last result.
    static let lingerSeconds = 1.0
    /// Seconds a kept child, or a spare beyond the usual number, may be idle.
    static let idleSeconds = 60.0
    /// Seconds without forks after a fork failed or children died before they could run anything.
    static let pauseSeconds = 0.5

    let loop: any EventLoop
    let control: ControlSocket
    let sequence: SequenceSource
    let log: RunnerLog
    unowned let sink: any RunSink
    /// Turns the zygote's crash text into lines.
    let symbolize: ([UInt8]) -> [String]

    private var slots: Int
    private let usualSpares: Int
    let mostResidentKiB: UInt32?
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
    var deathsInARow = 0
    var isRetiring = false

    init(
        loop: any EventLoop, control: ControlSocket, options: RunnerOptions, sequence: SequenceSource,
        sink: any RunSink, log: @escaping RunnerLog, symbolize: @escaping ([UInt8]) -> [String]
    ) {
        self.loop = loop
        self.control = control
        self.sequence = sequence
        self.sink = sink
        self.log = log
        self.symbolize = symbolize
        slots = options.slots
        usualSpares = options.spares
        mostResidentKiB = options.mostResidentKiB
        wantedSpares = options.spares
    }

    var now: UInt64 { loop.clocks.monotonic.nanoseconds }

    var idleCount: Int { spares.count + idleKept.count }

    var isEmpty: Bool { lanes.values.allSatisfy { $0.child == nil } }

    /// Gives the run to a child that is free for it now, or to one that is forked for it.
    /// - Parameter mayAddBusy: another busy child is within the slots.
    func accept(_ run: Run, mayAddBusy: Bool) -> Bool {
        guard !isRetiring else { return false }
        let keep = run.request.keep
        if mayAddBusy {
            if keep > 0, let index = idleKept.lastIndex(where: { $0.maySuit(keep: keep) }) {
                give(run, to: idleKept.remove(at: index))
                return true
            }
            if let child = takeSpare() {
                give(run, to: child)
                orderSpares()
                return true
            }
        }
        guard keep > 1, run.pace.isShort, let child = childToPipeline(keep) else { return false }
        give(run, to: child)
        return true
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
        if now >= pausedUntil { log(2, reason) }
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
        for child in idleKept where olderThan(Self.idleSeconds, child.idleSince) { dismiss(child) }
        idleKept.removeAll { !$0.takesMore }
        if wantedSpares > usualSpares, let oldest = spares.first, olderThan(Self.idleSeconds, oldest.idleSince) {
            wantedSpares -= 1
            dismiss(spares.removeFirst())
        }
        while lanes.count > mostLanes, let lane = freeLanes.popLast() { closeLane(lane) }
        orderSpares()
    }

    /// No new work; idle children leave.
    func retire() {
        isRetiring = true
        for child in spares + idleKept { closeLane(child.lane) }
        spares = []
        idleKept = []
        for lane in freeLanes { closeLane(lane) }
        freeLanes = []
    }

    // ---- giving ----

    private func give(_ run: Run, to child: Child) {
        run.sequence = sequence.take()
        run.child = child
        let wasIdle = child.runs.isEmpty
        child.runs.append(run)
        child.served += 1
        let isLast = child.served >= run.request.keep
        child.takesMore = !isLast
        FrameWriter.appendTask(
            run.request, index: run.task.index, sequence: run.sequence, isLast: isLast,
            mostResidentKiB: mostResidentKiB ?? 0, to: &child.lane.outgoing)
        dirty.append(child.lane)
        if wasIdle {
            sink.busyChildren(changedBy: 1)
            if !isLast { busyKept.append(child) }
            if child.pid != 0 { begin(run, child) }
        }
    }

    /// The one with the least to do among those that work on nothing but short tasks.
    private func childToPipeline(_ keep: Int) -> Child? {
        var best: Child?
        for child in busyKept
        where child.maySuit(keep: keep) && child.runs.count <= Self.lookAheadPerChild
            && child.runs.count < best?.runs.count ?? .max && child.runs.allSatisfy({ $0.pace.isShort })
        {
            best = child
        }
        return best
    }

    func begin(_ run: Run, _ child: Child) {
        run.hasBegun = true
        run.beganAt = now
        sink.began(run, pid: child.pid)
        if run.killReason != nil { return kill(child) }
        if run.wantsSoftStop { softStop(run) }
    }

    func kill(_ child: Child) {
        guard !child.isKilled else { return }
        child.isKilled = true
        child.takesMore = false
        control.send(control_record(RUNNER_KILL, lane: child.lane.number, pid: child.pid))
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
        let child = Child(lane: lane, crew: self)
        child.idleSince = now
        lane.child = child
        control.send(control_record(RUNNER_FORK, lane: lane.number, sequence: sequence.next))
        return child
    }

    /// Busy children, spares, and those that are about to end.
    private var mostLanes: Int { 3 * slots + wantedSpares + 4 }

    private func openLane() -> Lane? {
        guard lanes.count < mostLanes else { return nil }
        lastLane += 1
        do throws(RunnerFailure) {
            let (lane, far) = try Lane.open(number: lastLane, loop: loop, events: self)
            lanes[lane.number] = lane
            control.send(control_record(RUNNER_LANE_OPEN, lane: lane.number), passing: far.descriptors)
            return lane
        } catch {
            pauseForks(error.description)
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

    private func dismiss(_ child: Child) {
        child.takesMore = false
        closeLane(child.lane)
    }

    private func olderThan(_ seconds: Double, _ since: UInt64) -> Bool {
        now > since && Double(now - since) / 1e9 > seconds
    }
}
