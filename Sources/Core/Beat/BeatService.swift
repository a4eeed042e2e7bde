// Sends what is due while this process leads.
public import Ports
import TaskModel

/// Belongs to the loop's thread.
public final class BeatService {
    public enum Note: Sendable {
        case leading
        case following
        case lost(String)
        case sent(DueRun)
        case unsent(DueRun, reason: String)
        /// What the leader before stored is not ours; entries start again.
        case memoryUnreadable
    }

    public enum Sending: Sendable {
        case confirmed
        /// Not now; it is tried again.
        case failed(String)
        /// Never; the run counts as made, so that it does not hold up the next.
        case refused(String)
    }

    private var entries: [BeatEntry]
    private let disabled: Set<String>
    private let loop: any EventLoop
    private let leadership: any Leadership
    private let send: (DueRun, @escaping (Sending) -> Void) -> Void
    private let note: (Note) -> Void
    private var core: BeatCore?
    private var timer: (any LoopTimer)?
    private var isRemembering = false
    private var isMemoryStale = false
    /// Grows with each time of leading: what was sent before is not ours to remember.
    private var term = 0
    private var isFollowing = false
    /// Not nil: it is stopping.
    private var whenStopped: (() -> Void)?
    private var isResigned = false

    private let longestSleep: Double
    private static let pauseAfterFailure = 5.0
    private static let patienceAtStop = 3.0

    /// - Parameters:
    ///   - disabled: names of entries that are switched off.
    ///   - longestSleep: seconds; the clock may be set meanwhile.
    public init(
        _ entries: [BeatEntry], disabled: Set<String> = [], loop: any EventLoop, leadership: any Leadership,
        longestSleep: Double = 5,
        send: @escaping (DueRun, @escaping (Sending) -> Void) -> Void, note: @escaping (Note) -> Void
    ) {
        self.entries = entries
        self.disabled = disabled
        self.loop = loop
        self.leadership = leadership
        self.longestSleep = longestSleep
        self.send = send
        self.note = note
    }

    /// Other entries from now on.
    public func replace(_ entries: [BeatEntry]) {
        guard entries != self.entries else { return }
        self.entries = entries
        guard core != nil else { return }
        core?.replace(entries, now: loop.clocks.wall)
        remember()
        tick()
    }

    public func start() { leadership.campaign { [weak self] in self?.leadershipChanged($0) } }

    /// What is being sent is confirmed and remembered before others may lead, so that they do not send it again; a
    /// broker that does not answer is waited for some seconds.
    public func stop(done: @escaping () -> Void) {
        guard whenStopped == nil else { return }
        whenStopped = done
        timer?.cancel()
        timer = loop.schedule(afterSeconds: Self.patienceAtStop) { [weak self] in self?.resign() }
        resignWhenIdle()
    }

    private func resignWhenIdle() {
        guard whenStopped != nil else { return }
        if let core, leadership.isLeading, isRemembering || !core.isIdle { return }
        resign()
    }

    private func resign() {
        guard !isResigned, let whenStopped else { return }
        isResigned = true
        timer?.cancel()
        core = nil
        leadership.resign(done: whenStopped)
    }

    private func leadershipChanged(_ news: LeadershipEvent) {
        switch news {
        case .leading(let stored):
            guard whenStopped == nil else { return }
            term += 1
            isFollowing = false
            let memory = stored.map(BeatMemory.init) ?? BeatMemory()
            if memory == nil { note(.memoryUnreadable) }
            core = BeatCore(
                entries, disabled: disabled, memory: memory ?? BeatMemory(), now: loop.clocks.wall)
            note(.leading)
            isRemembering = false
            // New entries count from now, also for the next leader.
            remember()
            tick()
        case .following:
            if !isFollowing { note(.following) }
            isFollowing = true
        case .lost(let reason):
            isFollowing = false
            core = nil
            note(.lost(reason))
            guard whenStopped == nil else { return resign() }
            timer?.cancel()
        }
    }

    private func tick() {
        guard core != nil, whenStopped == nil else { return }
        timer?.cancel()
        let now = loop.clocks.wall
        // Frozen for a while, we may have lost it without knowing.
        if leadership.isLeading {
            for run in core?.due(now: now) ?? [] { send(run) }
        }
        sleep()
    }

    private func sleep() {
        let wait = core?.nextTime.map { $0.seconds(since: loop.clocks.wall) } ?? longestSleep
        let isIdle = !leadership.isLeading
        timer = loop.schedule(afterSeconds: min(longestSleep, max(isIdle ? 0.2 : 0.001, wait))) { [weak self] in
            self?.tick()
        }
    }

    private func send(_ run: DueRun) {
        let term = term
        send(run) { [weak self] result in
            guard let self, term == self.term, core != nil else { return }
            switch result {
            case .confirmed:
                note(.sent(run))
                finish(run)
            case .refused(let reason):
                note(.unsent(run, reason: reason))
                finish(run)
            case .failed(let reason):
                note(.unsent(run, reason: reason))
                guard whenStopped == nil else {
                    core?.unsent(run)
                    return resignWhenIdle()
                }
                _ = loop.schedule(afterSeconds: Self.pauseAfterFailure) { [weak self] in
                    guard let self, term == self.term else { return }
                    core?.unsent(run)
                    tick()
                }
            }
        }
    }

    private func finish(_ run: DueRun) {
        core?.sent(run)
        remember()
        guard whenStopped == nil else { return }
        timer?.cancel()
        sleep()
    }

    /// One write at a time; what changes meanwhile goes with the next.
    private func remember() {
        guard let core else { return }
        guard !isRemembering else {
            isMemoryStale = true
            return
        }
        isRemembering = true
        isMemoryStale = false
        let term = term
        leadership.remember(core.memory.bytes) { [weak self] in
            guard let self, term == self.term else { return }
            isRemembering = false
            if isMemoryStale { remember() } else { resignWhenIdle() }
        }
    }
}
