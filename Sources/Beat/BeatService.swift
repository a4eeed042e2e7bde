// Sends what is due while this process leads.
public import Ports
public import TaskModel

/// Belongs to the loop's thread.
public final class BeatService {
    public enum Note: Sendable {
        case leading
        case following
        case lost(String)
        case sent(DueRun)
        case unsent(DueRun, reason: String)
        /// What the leader before stored is not ours; entries start anew.
        case memoryUnreadable
    }

    public enum Sending: Sendable {
        case confirmed
        /// Not now; it is tried again.
        case failed(String)
        /// Never; the run counts as made, so that it does not hold up the next.
        case refused(String)
    }

    private let entries: [BeatEntry]
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

    /// The clock may be set meanwhile: nobody sleeps longer than this.
    private static let longestSleep = 5.0
    private static let pauseAfterFailure = 5.0

    public init(
        _ entries: [BeatEntry], loop: any EventLoop, leadership: any Leadership,
        send: @escaping (DueRun, @escaping (Sending) -> Void) -> Void, note: @escaping (Note) -> Void
    ) {
        self.entries = entries
        self.loop = loop
        self.leadership = leadership
        self.send = send
        self.note = note
    }

    public func start() { leadership.campaign { [weak self] in self?.heard($0) } }

    public func stop(done: @escaping () -> Void) {
        timer?.cancel()
        core = nil
        leadership.resign(done: done)
    }

    private func heard(_ news: LeadershipNews) {
        switch news {
        case .leading(let stored):
            term += 1
            isFollowing = false
            let memory = stored.map(BeatMemory.init) ?? BeatMemory()
            if memory == nil { note(.memoryUnreadable) }
            core = BeatCore(entries, memory: memory ?? BeatMemory(), now: loop.clocks.wall)
            note(.leading)
            isRemembering = false
            // New entries count from now, whoever leads after us.
            remember()
            tick()
        case .following:
            if !isFollowing { note(.following) }
            isFollowing = true
        case .lost(let reason):
            isFollowing = false
            core = nil
            timer?.cancel()
            note(.lost(reason))
        }
    }

    private func tick() {
        timer?.cancel()
        guard core != nil else { return }
        let now = loop.clocks.wall
        // Frozen for a while, we may have lost it without knowing.
        if leadership.isLeading {
            for run in core?.due(now: now) ?? [] { send(run, dueAt: now) }
        }
        sleep()
    }

    private func sleep() {
        let wait = core?.nextTime.map { $0.seconds(since: loop.clocks.wall) } ?? Self.longestSleep
        let isIdle = !leadership.isLeading
        timer = loop.schedule(afterSeconds: min(Self.longestSleep, max(isIdle ? 0.2 : 0.001, wait))) { [weak self] in
            self?.tick()
        }
    }

    private func send(_ run: DueRun, dueAt now: WallTime) {
        let term = term
        send(run) { [weak self] result in
            guard let self, term == self.term, core != nil else { return }
            switch result {
            case .confirmed:
                note(.sent(run))
                finish(run, dueAt: now)
            case .refused(let reason):
                note(.unsent(run, reason: reason))
                finish(run, dueAt: now)
            case .failed(let reason):
                note(.unsent(run, reason: reason))
                _ = loop.schedule(afterSeconds: Self.pauseAfterFailure) { [weak self] in
                    guard let self, term == self.term else { return }
                    core?.unsent(run)
                    tick()
                }
            }
        }
    }

    private func finish(_ run: DueRun, dueAt now: WallTime) {
        core?.sent(run, dueAt: now)
        remember()
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
            if isMemoryStale { remember() }
        }
    }
}
